"""What the relay asks of the outbox, and what it writes there. Functions for its database thread.

Every write happens in a transaction that has locked the lease and found it still ours, so a relay that was paused
past its lease writes nothing, whatever it had in mind. Every write is conditional on the state it found, so a row
moves one way: saved, then published, late or undeliverable.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from coordination.eventlog import Appended, NewRecord
from dashboard.approvals.announcement import tell
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import Approval, Decision
from dashboard.outbox import after_commit, unpack
from dashboard.relay.lease import Lease

SAVED: Final = Decision.State.SAVED
AUTHOR: Final = "relay"
MILLISECOND: Final = 1000


class Waiting(msgspec.Struct, frozen=True):
    """A row of the outbox that is to be sent. `tried_from` is {"topic/partition": offset} of its first try."""

    decision_id: str
    records: list[NewRecord]
    tried_from: dict[str, int]


def shards_with_work(shards: Sequence[int], reconsider: int) -> set[int]:
    """Those of these relay shards that have something to send, to find out, to give up or to try again.

    What was refused is tried again `reconsider` µs after it was.
    """
    now = database_now()
    found = Decision.objects.filter(Q(held_until__lte=now, state=SAVED) | _refused(now - reconsider, now))
    found = found.filter(relay_shard__in=shards)
    return set(found.order_by().values_list("relay_shard", flat=True).distinct())


def _refused(before: int, now: int) -> Q:
    in_time = Q(valid_until=None) | Q(valid_until__gt=now)
    return in_time & Q(state=Decision.State.UNDELIVERABLE, tried_at__lt=before)


def tried(shard: int) -> list[Waiting]:
    """Rows that somebody began to send and nobody settled: whether they are on the log must be found out."""
    return _in_order(_saved(shard).filter(tried_at__isnull=False))


def ready(shard: int, limit: int) -> list[Waiting]:
    """The next rows to send, in the order in which they became ready."""
    return _in_order(_saved(shard).filter(held_until__lte=database_now()), limit)


def _saved(shard: int) -> QuerySet[Decision]:
    return Decision.objects.filter(state=SAVED, relay_shard=shard)


def _in_order(found: QuerySet[Decision], limit: int | None = None) -> list[Waiting]:
    # A row that is held is ready when its window is over, any other when it was saved.
    rows = found.annotate(ready_at=Greatest("held_until", "saved_at"))
    return [
        Waiting(row.decision_id, unpack(row.records), row.tried_from)
        for row in rows.order_by("ready_at", "saved_at", "decision_id")[:limit]
    ]


def begin(lease: Lease, rows: Mapping[str, dict[str, int]]) -> set[str]:
    """Note before the first byte is sent from where each row is to be looked for. Rows that are gone are left out."""
    with _ours(lease):
        now, begun = database_now(), set()
        for decision_id, tried_from in rows.items():
            found = Decision.objects.filter(pk=decision_id, state=SAVED, held_until__lte=now)
            if found.update(tried_at=now, tried_from=tried_from):
                begun.add(decision_id)
        return begun


def publish(lease: Lease, places: Mapping[str, Sequence[Appended]], *, mode: str) -> None:
    """Rows that were read back: where their records stand, in their order."""
    with _ours(lease):
        now = database_now()
        for decision_id, appended in places.items():
            positions = [[at.topic, at.partition, at.offset, at.timestamp * MILLISECOND] for at in appended]
            fields: dict[str, Any] = {"positions": positions, "published_at": now, "error": ""}
            if mode:
                provenance = Decision.objects.values_list("provenance", flat=True).get(pk=decision_id)
                fields["provenance"] = provenance | {"delivery": mode}
            _settle(decision_id, Decision.State.PUBLISHED, **fields)
        _show(places)


def give_up_late(lease: Lease, shard: int, *, untried: bool = False) -> int:
    """Rows of which it is certain that they were not sent, past the instant until which they were valid.

    A session that has recovered knows that of all; without the log (`untried`) it is certain of what nobody tried.
    """
    now = database_now()
    late = _saved(shard).filter(held_until__lte=now, valid_until__lte=now)
    if untried:
        late = late.filter(tried_at=None)
    if not late.exists():
        return 0
    with _ours(lease):
        rows = list(late.defer("records"))
        for row in rows:
            _settle(row.decision_id, Decision.State.LATE)
            _enter("decision.late", row, {"valid_until": row.valid_until})
        _show([row.decision_id for row in rows])
        return len(rows)


def give_up(lease: Lease, decision_id: str, reason: str) -> None:
    """A row that the log refuses for good, in words; it is tried again later, in case somebody grants the right."""
    with _ours(lease):
        _give_up(decision_id, reason)


def _give_up(decision_id: str, reason: str) -> None:
    row = Decision.objects.defer("records").filter(pk=decision_id, state=SAVED).first()
    fields = {"error": reason, "tried_at": database_now()}
    if row is not None and _settle(decision_id, Decision.State.UNDELIVERABLE, **fields):
        # Each try refused the same way is one entry, not one a minute.
        if row.error != reason:
            _enter("decision.undeliverable", row, {"reason": reason})
        _show([decision_id])


def give_up_unknown(lease: Lease, shard: int, reason: str) -> None:
    """Rows of which nobody can find out any more whether they were sent.

    A decision waits for its `valid_until`: after that an agent would refuse it anyway, and the row says that nobody
    knows. Facts have no such end and are sent again: what the log has thrown away cannot be doubled.
    """
    with _ours(lease):
        doubtful = Decision.objects.filter(state=SAVED, relay_shard=shard, tried_at__isnull=False)
        for decision_id in doubtful.filter(valid_until__lte=database_now()).values_list("decision_id", flat=True):
            _give_up(decision_id, reason)
        doubtful.filter(valid_until=None).update(tried_at=None, tried_from={})


def reconsider(lease: Lease, shard: int, after: int) -> int:
    """Put rows that were refused more than `after` µs ago back among the saved ones: the right may be there now."""
    now = database_now()
    refused = Decision.objects.filter(_refused(now - after, now), relay_shard=shard)
    if not refused.exists():
        return 0
    with _ours(lease):
        return refused.update(state=SAVED)


def explain(lease: Lease, shard: int, words: str) -> None:
    """Write on every row that waits why it waits; once, not at every try."""
    with _ours(lease):
        waiting = Decision.objects.filter(state=SAVED, relay_shard=shard, held_until__lte=database_now()).exclude(
            error=words
        )
        ids = list(waiting.values_list("decision_id", flat=True))
        Decision.objects.filter(pk__in=ids).update(error=words)
        _show(ids)


def _settle(decision_id: str, state: Decision.State, **fields: Any) -> int:
    return Decision.objects.filter(pk=decision_id, state=SAVED).update(state=state, **fields)


def _enter(act: str, row: Decision, detail: dict[str, Any]) -> None:
    subject = f"approval/{row.approval_id}" if row.approval_id else f"task/{row.task_id}"
    enter(AUTHOR, act, subject, {"decision_id": row.decision_id, "kind": row.kind, **detail})


def _show(decision_ids: Sequence[str] | Mapping[str, Any]) -> None:
    """Let the rows of these decisions' approvals be newer, and publish them after the commit."""
    found = Decision.objects.filter(pk__in=list(decision_ids)).exclude(approval_id="")
    ids = sorted(set(found.values_list("approval_id", flat=True)))
    if ids:
        Approval.objects.filter(approval_id__in=ids).update(revision=F("revision") + 1)
        after_commit(lambda: tell(ids))


@contextmanager
def _ours(lease: Lease) -> Iterator[None]:
    with transaction.atomic():
        lease.lock()
        yield
