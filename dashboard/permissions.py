"""Who may do what: one function per capability, asked by pages, API and socket alike.

Every capability rests on one Django permission, so that rights are given where Django users expect them: to
users and groups, in the admin. Nobody may see anything without a right, signed in or not.

Tenants are groups too: whoever is in `tenant:acme` sees the runs of tenant `acme`. As soon as there is one such
group, whoever is in none of them sees no run at all, unless they hold the right to see all tenants. What cannot be
told apart by tenant (consumer groups, topics, the audit trail) is for those who see all of them.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, PermissionsMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from dashboard.models import Run
from dashboard.models.tenancy import Tenants, limited_to

Person = AbstractBaseUser | AnonymousUser
Capability = Callable[[Person], bool]

TENANT: Final = "tenant:"
_LOOKS: Final = ("view_run", "view_approval", "view_groupsnapshot", "view_deadletter")
# Role -> the permissions it holds. `manage.py token` and the admin know roles as groups of these names. Reviewers of
# one approval group are in the group that policies name, for instance `finance`, beside `reviewer`.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": _LOOKS,
    "builder": (*_LOOKS, "view_segment"),
    "reviewer": ("view_run", "view_approval", "view_groupsnapshot", "view_segment", "decide_approval"),
    "operator": (
        *(*_LOOKS, "view_segment", "steer_run", "replay_run", "redrive_deadletter", "accept_gap"),
        *("view_schemas", "view_readiness", "prune_run", "view_all_tenants"),
    ),
    "auditor": (
        *(*_LOOKS, "view_segment", "view_audit", "view_oversight", "replay_run"),
        *("view_schemas", "view_readiness", "view_all_tenants"),
    ),
    "admin": (
        *(*_LOOKS, "view_segment", "unmask_segment", "view_audit", "view_oversight", "decide_approval", "steer_run"),
        *("replay_run", "redrive_deadletter", "accept_gap", "prune_run", "view_all_tenants"),
        *("view_schemas", "view_readiness", "answer_readiness", "manage_policy", "change_approvalrule"),
        *("view_webhook", "add_webhook", "change_webhook", "delete_webhook"),
        *("view_apitoken", "add_apitoken", "change_apitoken", "delete_apitoken"),
        *("view_user", "add_user", "change_user", "delete_user", "view_group", "add_group", "change_group"),
    ),
}


def tenants_of(person: Person) -> Tenants:
    """The tenants a person may see; None for all of them."""
    if _holds(person, "view_all_tenants"):
        return None
    known = getattr(person, "_lineside_tenants", None)
    if known is None:
        bound = Group.objects.filter(name__startswith=TENANT)
        mine = bound.filter(user=person.pk) if person.is_authenticated else bound.none()
        names = frozenset(name.removeprefix(TENANT) for name in mine.values_list("name", flat=True))
        known = (names if names or bound.exists() else None,)
        person._lineside_tenants = known  # type: ignore[union-attr]  # asked at every query of a request
    tenants: Tenants = known[0]
    return tenants


def _holds(person: Person, permission: str) -> bool:
    return isinstance(person, PermissionsMixin) and person.has_perm(f"dashboard.{permission}")


def _holds_for_all(person: Person, permission: str) -> bool:
    """A right to what cannot be told apart by tenant."""
    return _holds(person, permission) and tenants_of(person) is None


def may_see_runs(person: Person) -> bool:
    """Board, runs, tasks, joins: names, states, times, errors."""
    return _holds(person, "view_run")


def may_see_payloads(person: Person) -> bool:
    """What records and tasks carry: input, output, arguments of tools, raw bytes."""
    return _holds(person, "view_segment")


def may_see_approvals(person: Person) -> bool:
    """The queue and what is asked; deciding is another right."""
    return _holds(person, "view_approval")


def may_decide(person: Person) -> bool:
    """Vote on approvals; whether this person's vote counts on this one is the policy's affair."""
    return _holds(person, "decide_approval")


def may_see_agents(person: Person) -> bool:
    """Consumer groups, members, lag."""
    return _holds_for_all(person, "view_groupsnapshot")


def may_see_letters(person: Person) -> bool:
    """Rejected and dead-lettered records."""
    return _holds(person, "view_deadletter")


def may_redrive(person: Person) -> bool:
    """Put dead letters back, or discard them."""
    return _holds(person, "redrive_deadletter")


def may_steer(person: Person) -> bool:
    """Cancel, retry and compensate tasks."""
    return _holds(person, "steer_run")


def may_silence(person: Person) -> bool:
    """Keep alerts quiet for a while."""
    return _holds_for_all(person, "steer_run")


def may_see_audit(person: Person) -> bool:
    """The audit trail."""
    return _holds_for_all(person, "view_audit")


def may_see_oversight(person: Person) -> bool:
    """How people decide: times, shares, edits."""
    return _holds_for_all(person, "view_oversight")


def may_accept_gap(person: Person) -> bool:
    """Let ingest go on behind records that are lost."""
    return _holds_for_all(person, "accept_gap")


def may_replay(person: Person) -> bool:
    """Export and replay runs."""
    return _holds(person, "replay_run")


def may_append(person: Person) -> bool:
    """Put events on the log over HTTP. Agents do this with tokens; the right is to steer runs."""
    return may_steer(person)


def may_use_log(person: Person) -> bool:
    """Read and write the log itself over HTTP: its topics hold the records of all tenants."""
    return may_append(person) and tenants_of(person) is None


def may_see_health(person: Person) -> bool:
    """How the dashboard itself is: log, ingest, relay."""
    return bool(person.is_authenticated and person.is_active)


def may_see_figures(person: Person) -> bool:
    """The figures of the whole installation, for Prometheus."""
    return _holds_for_all(person, "view_run")


def may_unmask(person: Person) -> bool:
    """What masking hides in payloads; each such look is entered in the audit trail."""
    return may_see_payloads(person) and _holds(person, "unmask_segment")


def may_export(person: Person) -> bool:
    """Take events away as a file."""
    return may_replay(person) and may_see_payloads(person)


def may_see_schemas(person: Person) -> bool:
    """The catalogue of event types with what was read of each."""
    return _holds_for_all(person, "view_schemas")


def may_see_readiness(person: Person) -> bool:
    """The scorecard: whether coordination needs a first-class log, and what is proven."""
    return _holds_for_all(person, "view_readiness")


def may_answer_readiness(person: Person) -> bool:
    """Answer what only people know about this installation."""
    return _holds_for_all(person, "answer_readiness")


def may_prune(person: Person) -> bool:
    """Delete old runs by the stated policy."""
    return _holds_for_all(person, "prune_run")


def may_manage_policy(person: Person) -> bool:
    """Change what is masked and how long runs are kept."""
    return _holds_for_all(person, "manage_policy")


def may_manage_rules(person: Person) -> bool:
    """Write, switch on and stop the rules that decide by themselves."""
    return _holds_for_all(person, "change_approvalrule")


WATCHES: Final[dict[str, Capability]] = {
    "board": may_see_runs,
    "run": may_see_runs,
    "approvals": may_see_approvals,
    "agents": may_see_agents,
    "health": may_see_health,
}


def may_watch(person: Person, about: str) -> bool:
    """Whether this person may hear deltas about `board`, `run:<id>`, `approvals`, `agents` or `health`."""
    what, _, name = about.partition(":")
    capability = WATCHES.get(what)
    if capability is None or not capability(person):
        return False
    tenants = tenants_of(person)
    if what != "run" or tenants is None:
        return True
    with limited_to(lambda: tenants):
        return Run.objects.filter(run_id=name).exists()


def require(person: Person, capability: Capability) -> None:
    """Raises PermissionDenied if the person lacks the capability; the sentence says what it would have given."""
    if not capability(person):
        raise PermissionDenied(f"You have no right to this: {(capability.__doc__ or '').strip()}")


def needs(capability: Capability) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Decorator of a page: answers 403 to whoever lacks the capability."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(request.user, capability)
            return view(request, *args, **kwargs)

        guarded.__name__ = view.__name__
        guarded.__doc__ = view.__doc__
        guarded.capability = capability  # type: ignore[attr-defined]  # for `dashboard.routes`
        return guarded

    return decorate


def ensure_roles() -> None:
    """Makes the groups of ROLES where they are missing; a group that is there is left as people made it."""
    for role, names in ROLES.items():
        group, made = Group.objects.get_or_create(name=role)
        if made:
            permissions = Permission.objects.filter(
                content_type__app_label__in=("dashboard", "auth"), codename__in=names
            )
            group.permissions.set(permissions)
