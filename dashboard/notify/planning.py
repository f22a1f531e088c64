"""Who is told of what: one notice for each person and webhook, made once for each thing that happens to a version."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from dashboard.approvals.persons import groups_of, is_service
from dashboard.approvals.review import Review, locked
from dashboard.clock import database_now
from dashboard.models import Approval, Notice, NotificationChoice, Step, Webhook
from dashboard.notify.schedule import due_at
from dashboard.permissions import tenants_of

MARK: Final = "told:"
KINDS: Final = {"": "asked", "warn": "nearly due", "escalate": "overdue", "expire": "expired"}
"""Step of the timer (none: the request itself) -> what people are told."""
AT_ONCE: Final = 100
DAY: Final = 86_400_000_000


def plan() -> int:
    """Make the notices for everything that has happened and was not told; returns how many."""
    return sum(_planned(approval_id, version, step) for step in KINDS for approval_id, version in _untold(step))


def _untold(step: str) -> list[tuple[str, int]]:
    of_version = Step.objects.filter(approval_id=OuterRef("approval_id"), version=OuterRef("version"))
    # The states have indexes; what expired more than a day ago is no news.
    now = database_now()
    expired = Approval.objects.filter(state=Approval.State.EXPIRED, expires_at__gt=now - DAY)
    found = expired if step == "expire" else Approval.objects.filter(state=Approval.State.PENDING)
    found = found.filter(~Exists(of_version.filter(step=MARK + step)))
    found = found.filter(Exists(of_version.filter(step=step))) if step else found
    return list(found.order_by("approval_id").values_list("approval_id", "version")[:AT_ONCE])


def _planned(approval_id: str, version: int, step: str) -> int:
    with transaction.atomic():
        review = locked(approval_id)
        key = {"approval_id": approval_id, "version": version, "step": MARK + step}
        if review.approval.version != version or not Step.objects.get_or_create(**key, defaults={"at": review.now})[1]:
            return 0
        made = [*_mails(review, step), *_calls(review, step)]
        Notice.objects.bulk_create(made, ignore_conflicts=True)
        return len(made)


def _mails(review: Review, step: str) -> Iterator[Notice]:
    if step == "expire":
        return
    choices = NotificationChoice.objects.filter(email=True, person__is_active=True).select_related("person")
    for choice in choices.prefetch_related("person__groups"):
        if concerns(choice.person, review):
            quiet = (choice.quiet_from, choice.quiet_to, choice.zone)
            yield _notice(review, step, due_at(review.now, choice.digest, *quiet), person=choice.person)


def _calls(review: Review, step: str) -> Iterator[Notice]:
    for webhook in Webhook.objects.filter(active=True, requests=True):
        yield _notice(review, step, review.now, webhook=webhook)


def _notice(review: Review, step: str, due: int, **to: Any) -> Notice:
    approval = review.approval
    about = {"approval_id": approval.approval_id, "version": approval.version, "kind": KINDS[step]}
    return Notice(**about, **to, due_at=due, made_at=review.now)


def concerns(person: Any, review: Review) -> bool:
    """Whether this person could decide: has the right and an address, may see the tenant, is in a group that is
    asked for, and the task does not run on their behalf."""
    tenants, wanted = tenants_of(person), set(review.policy.required_groups)
    return (
        bool(person.email)
        and person.has_perm("dashboard.decide_approval")
        and not is_service(person)
        and (tenants is None or review.approval.tenant in tenants)
        and (review.policy.rule == "quorum" or not wanted or not wanted.isdisjoint(groups_of(person)))
        and not review.on_behalf(person)
    )
