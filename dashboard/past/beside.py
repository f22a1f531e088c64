"""What pictures of a run show besides its folded rows, as it stood at an instant: dead letters, what people decided,
and consumer groups as the last poll before had them. These come from the live tables, because no event of the run
tells them.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec
from django.contrib.auth.models import User
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.utils import DEFAULT_DB_ALIAS

from dashboard.models import Approval, ConsumerGroup, DeadLetter, Decision, GroupSnapshot, Step, Vote
from dashboard.past import decided

BATCH: Final = 500
Kept = list[tuple[type[models.Model], list[models.Model]]]


def beside(run_id: str, at: int | None) -> Kept:
    """Rows by model as they stood at an instant (µs), None for as they stand now."""
    approvals = [*decided.approvals(run_id, at)]
    ids = [row.approval_id for row in approvals]
    votes, decisions = [*decided.votes(ids, at)], [*decided.decisions(run_id, at)]
    return [
        (User, [*decided.persons([*votes, *decisions])]),
        (DeadLetter, [*_letters(run_id, at)]),
        (Approval, [*approvals]),
        (Vote, [*votes]),
        (Decision, [*decisions]),
        (Step, [*decided.steps(ids, at)]),
        (ConsumerGroup, [*(ConsumerGroup.objects.all() if at is None else _groups(at))]),
    ]


def put(kept: Kept) -> None:
    """Write these rows over those of before, into the connection at hand."""
    for model, rows in kept:
        manager = cast(Any, model)._base_manager
        # Not `delete`, which looks for rows that refer to these: they are in tables that the past does not have.
        manager.all()._raw_delete(DEFAULT_DB_ALIAS)
        manager.bulk_create(rows, batch_size=BATCH)


def _letters(run_id: str, at: int | None) -> Iterable[models.Model]:
    found = DeadLetter.objects.filter(run_id=run_id, **({} if at is None else {"at__lte": at}))
    columns = [field.name for field in DeadLetter._meta.fields if field.name != "record"]
    for row in found.values(*columns):
        if at is not None and row["resolved_at"] is not None and row["resolved_at"] > at:
            row |= {"state": DeadLetter.State.OPEN, "resolved_at": None, "resolved_by": ""}
        yield DeadLetter(**row, record=b"")


def _groups(at: int) -> Iterable[models.Model]:
    """How many members a group had is kept; where it stood on each partition is not."""
    latest = GroupSnapshot.objects.filter(group=OuterRef("group"), taken_at__lte=at).order_by("-taken_at")
    polled = ConsumerGroup.objects.annotate(poll=Subquery(latest.values("pk")[:1])).filter(~Q(poll=None))
    names = dict(polled.values_list("poll", "agent_group"))
    for poll in GroupSnapshot.objects.filter(pk__in=list(names)):
        body: dict[str, Any] = {"partitions": [], "members": poll.members, "last_commit_at": None}
        yield ConsumerGroup(
            group=poll.group,
            agent_group=names[poll.pk],
            taken_at=poll.taken_at,
            verdict=poll.verdict,
            waiting=poll.waiting,
            age_ms=poll.age_ms,
            body=msgspec.json.encode(body).decode(),
        )
