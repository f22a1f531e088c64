"""Who may do what: one function per capability, asked by pages, API and socket alike.

Every capability rests on one Django permission, so that rights are given where Django users expect them: to
users and groups, in the admin. Nobody may see anything without a right, signed in or not.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, PermissionsMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

Person = AbstractBaseUser | AnonymousUser
Capability = Callable[[Person], bool]

# Role -> the permissions it holds. `manage.py token` and the admin know roles as groups of these names.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": ("view_run", "view_approval", "view_groupsnapshot", "view_deadletter"),
    "builder": ("view_run", "view_approval", "view_groupsnapshot", "view_deadletter", "view_segment"),
    "reviewer": ("view_run", "view_approval", "view_groupsnapshot", "view_segment", "decide_approval"),
    "operator": (
        "view_run",
        "view_approval",
        "view_groupsnapshot",
        "view_deadletter",
        "view_segment",
        "steer_run",
        "replay_run",
        "redrive_deadletter",
        "accept_gap",
    ),
    "auditor": ("view_run", "view_approval", "view_audit", "view_oversight", "view_segment", "replay_run"),
}


def _holds(person: Person, permission: str) -> bool:
    return isinstance(person, PermissionsMixin) and person.has_perm(f"dashboard.{permission}")


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
    return _holds(person, "view_groupsnapshot")


def may_see_letters(person: Person) -> bool:
    """Rejected and dead-lettered records."""
    return _holds(person, "view_deadletter")


def may_redrive(person: Person) -> bool:
    """Put dead letters back, or discard them."""
    return _holds(person, "redrive_deadletter")


def may_steer(person: Person) -> bool:
    """Cancel, retry and compensate tasks."""
    return _holds(person, "steer_run")


def may_see_audit(person: Person) -> bool:
    """The audit trail."""
    return _holds(person, "view_audit")


def may_see_oversight(person: Person) -> bool:
    """How people decide: times, shares, edits."""
    return _holds(person, "view_oversight")


def may_accept_gap(person: Person) -> bool:
    """Let ingest go on behind records that are lost."""
    return _holds(person, "accept_gap")


def may_replay(person: Person) -> bool:
    """Export and replay runs."""
    return _holds(person, "replay_run")


def may_append(person: Person) -> bool:
    """Put events on the log over HTTP. Agents do this with tokens; the right is to steer runs."""
    return may_steer(person)


WATCHES: Final[dict[str, Capability]] = {
    "board": may_see_runs,
    "run": may_see_runs,
    "approvals": may_see_approvals,
    "agents": may_see_agents,
    "health": lambda person: bool(person.is_authenticated),
}


def may_watch(person: Person, about: str) -> bool:
    """Whether this person may hear deltas about `board`, `run:<id>`, `approvals`, `agents` or `health`."""
    capability = WATCHES.get(about.partition(":")[0])
    return capability is not None and capability(person)


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
        return guarded

    return decorate


def ensure_roles() -> None:
    """Makes the groups of ROLES where they are missing; a group that is there is left as people made it."""
    for role, names in ROLES.items():
        group, made = Group.objects.get_or_create(name=role)
        if made:
            permissions = Permission.objects.filter(content_type__app_label="dashboard", codename__in=names)
            group.permissions.set(permissions)
