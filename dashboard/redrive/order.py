"""Orders: the letters of a plan into the outbox, or given up, in one transaction with the audit trail."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from coordination.errors import CoordinationError
from coordination.eventlog import NewRecord
from coordination.redrive import put_back, redrives
from dashboard import outbox
from dashboard.approvals.errors import NotAllowed
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import DeadLetter, Decision, Redrive, RedriveItem
from dashboard.permissions import may_redrive
from dashboard.redrive.plan import Plan, Target, plan_discard, plan_redrive

VALIDITY: Final = 24 * 3600 * 1_000_000
"""How long (µs) a letter waits to be put back: after a day nobody means it any more, and it is open again."""
AT_ONCE: Final = 500


class PlanChanged(CoordinationError):
    """The letters are not those that the dry run showed; nothing was done. `plan` is the new dry run."""

    code = "plan_changed"

    def __init__(self, plan: Plan) -> None:
        super().__init__("The letters changed since the dry run, so nothing was done. Look at the new one.")
        self.plan = plan


def redrive(
    letters: "QuerySet[DeadLetter]", user: Any, *, redrive_id: str, plan: str, query: str = "", reason: str = ""
) -> Redrive:
    """Save the order to put these letters back. The same id again is the same redrive, whatever else is said.

    Raises NotAllowed, PlanChanged, TooMany.
    """
    _allowed(user)
    known = Redrive.objects.filter(pk=redrive_id).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            now = database_now()
            found = plan_redrive(letters.select_for_update(), now)
            _unchanged(found, plan)
            made = Redrive.objects.create(
                redrive_id=redrive_id, at=now, person=user, query=query, reason=reason, plan=plan
            )
            _save(made, found.targets, user, now)
            detail = {"letters": len(found.targets), "query": query, "reason": reason, "plan": plan}
            enter(voter_of(user), "letters.redrive", f"redrive/{redrive_id}", detail)
            return made
    except IntegrityError:
        # The same click at the same moment in another process, or another order for one of these letters.
        known = Redrive.objects.filter(pk=redrive_id).first()
        if known is None:
            raise PlanChanged(plan_redrive(letters.all(), database_now())) from None
        return known


def discard(letters: "QuerySet[DeadLetter]", user: Any, *, plan: str, query: str = "", reason: str = "") -> int:
    """Give these letters up; returns how many. They stay stored. Raises NotAllowed, PlanChanged, TooMany."""
    _allowed(user)
    with transaction.atomic():
        now = database_now()
        found = plan_discard(letters.select_for_update())
        _unchanged(found, plan)
        facts = [_fact("record.discarded", target, reason, now) for target in found.targets]
        rows = [_row(target, "discard", [fact], user) for target, fact in zip(found.targets, facts, strict=True)]
        outbox.put_all(rows, saved_at=now, valid_until=now + VALIDITY)
        _settle(found.targets, DeadLetter.State.DISCARDED, user, now)
        enter(voter_of(user), "letters.discard", "letters", {"letters": len(rows), "query": query, "reason": reason})
        return len(rows)


def _allowed(user: Any) -> None:
    if not may_redrive(user):
        raise NotAllowed("You have no right to redrive or discard dead letters.")


def _unchanged(found: Plan, plan: str) -> None:
    if found.digest != plan or not found.targets:
        raise PlanChanged(found)


def _save(made: Redrive, targets: Sequence[Target], user: Any, now: int) -> None:
    rows, items = [], []
    for target in targets:
        # Two groups may have given up the same record: each letter goes back under a name of its own.
        name = f"{made.redrive_id}/{target.letter.topic}/{target.letter.partition}/{target.letter.offset}"
        back = put_back(target.record, target.origin, partition=target.partition, redrive_id=name)
        count = redrives(target.record) + 1
        fact = _fact("record.redriven", target, made.reason, now, redrive_count=count)
        row = _row(target, "redrive", [back, fact], user, made.redrive_id)
        rows.append(row)
        place = {"topic": target.origin.topic, "partition": target.partition}
        items.append(RedriveItem(redrive=made, letter=target.letter, decision_id=row.decision_id, **place))
    outbox.put_all(rows, saved_at=now, valid_until=now + VALIDITY)
    RedriveItem.objects.bulk_create(items, batch_size=AT_ONCE)
    _settle(targets, DeadLetter.State.REDRIVEN, user, now)


def _row(target: Target, kind: str, records: list[NewRecord], user: Any, about: str = "") -> Decision:
    letter = target.letter
    place = f"{letter.topic}-{letter.partition}@{letter.offset}"
    return Decision(
        decision_id=outbox.event_id(kind, about, letter.pk, place),
        kind=kind,
        verdict=kind,
        run_id=letter.run_id,
        # Rows of one task are sent in order; a letter of no task has nothing to be in order with.
        task_id=letter.task_id or place,
        person=user,
        provenance={"by": "person", "redrive": about, "letter": place},
        records=outbox.pack(records),
    )


def _fact(name: str, target: Target, reason: str, now: int, **data: Any) -> NewRecord:
    letter = target.letter
    place = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
    said = {"dead_letter": place, "group": letter.agent_group, "reason": reason} | data
    return outbox.record(
        name,
        made_of=[letter.pk, letter.topic, letter.partition, letter.offset],
        at=now,
        run_id=letter.run_id,
        task_id=letter.task_id,
        agent_group=letter.agent_group,
        causation=letter.event_id,
        data={key: value for key, value in said.items() if value != ""},
    )


def _settle(targets: Sequence[Target], state: DeadLetter.State, user: Any, now: int) -> None:
    ids = [target.letter.pk for target in targets]
    for first in range(0, len(ids), AT_ONCE):
        chunk = DeadLetter.objects.filter(pk__in=ids[first : first + AT_ONCE])
        chunk.update(state=state, resolved_at=now, resolved_by=user.get_username())
