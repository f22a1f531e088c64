"""The dry run: where each letter would go, which groups would see it again, and which are left out and why."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from coordination.envelope import Decoder
from coordination.errors import CoordinationError, MalformedRecord
from coordination.event import Event
from coordination.eventlog import StoredRecord
from coordination.partitioner import partition_for
from coordination.redrive import Origin, refusal
from dashboard.manifest import manifest
from dashboard.models import DeadLetter
from dashboard.outbox import partitions_of
from dashboard.readers import Reader, readers
from dashboard.segments import unpack_one

MOST: Final = 10_000


class TooMany(CoordinationError):
    """More letters than one redrive takes."""

    code = "too_many"


class Target(msgspec.Struct, frozen=True):
    """A letter that can be put back: its record, and the topic and partition it goes to."""

    letter: DeadLetter
    record: StoredRecord
    origin: Origin
    partition: int


class Plan(msgspec.Struct, frozen=True):
    """What an order would do. `left_out` and `warnings` are (reason, letters); `groups` are (group, letters meant for
    it, letters it reads and skips); `digest` names the plan: an order is saved only if it is still the same."""

    targets: Sequence[Target]
    left_out: Sequence[tuple[str, int]]
    warnings: Sequence[tuple[str, int]]
    groups: Sequence[tuple[str, int, int]]
    digest: str

    def row(self) -> dict[str, Any]:
        """The plan as the API gives it."""
        places = Counter((target.origin.topic, target.partition) for target in self.targets)
        return {
            "letters": len(self.targets),
            "targets": [{"topic": t, "partition": p, "letters": n} for (t, p), n in sorted(places.items())],
            "groups": [{"group": name, "acts_on": acts, "skips": skips} for name, acts, skips in self.groups],
            "left_out": [{"reason": reason, "letters": count} for reason, count in self.left_out],
            "warnings": [{"reason": reason, "letters": count} for reason, count in self.warnings],
            "plan": self.digest,
        }


def plan_redrive(letters: "QuerySet[DeadLetter]", now: int) -> Plan:
    """What putting these letters back would do. Raises TooMany."""
    left_out, warnings = Counter[str](), Counter[str]()
    partitions = cache(partitions_of)
    targets, events = [], []
    decoder = Decoder(manifest())
    for letter in bounded(letters):
        record = unpack_one(bytes(letter.record))
        origin = Origin(letter.origin_topic, letter.origin_partition)
        reason = settled(letter) or refusal(record, origin, manifest())
        if reason:
            left_out[reason] += 1
            continue
        targets.append(Target(letter, record, origin, _partition(origin, record, partitions(origin.topic))))
        event = _event(decoder, record)
        events.append((origin.topic, event))
        warnings.update(_warnings(event, now))
    return Plan(targets, left_out.most_common(), warnings.most_common(), _seen_by(events), _digest(targets))


def plan_discard(letters: "QuerySet[DeadLetter]") -> Plan:
    """What giving these letters up would do. Raises TooMany."""
    left_out = Counter[str]()
    targets = []
    for letter in bounded(letters.defer("record")):
        reason = settled(letter)
        if reason:
            left_out[reason] += 1
        else:
            nothing = StoredRecord(letter.topic, letter.partition, letter.offset, letter.at, None, None, None)
            targets.append(Target(letter, nothing, Origin(letter.topic), letter.partition))
    return Plan(targets, left_out.most_common(), (), (), _digest(targets))


def bounded(letters: "QuerySet[DeadLetter]") -> list[DeadLetter]:
    """The letters, oldest first, so that what was in order goes back in order. Raises TooMany."""
    found = list(letters.order_by("topic", "partition", "offset", "pk")[: MOST + 1])
    if len(found) > MOST:
        raise TooMany(f"More than {MOST:,} letters fit; narrow the filter and do it in parts.")
    return found


def settled(letter: DeadLetter) -> str:
    """Why nothing can be done with a letter any more; empty while it is open."""
    if letter.state == DeadLetter.State.REDRIVEN:
        return "it was redriven already"
    return "it was discarded" if letter.state == DeadLetter.State.DISCARDED else ""


def _partition(origin: Origin, record: StoredRecord, count: int) -> int:
    """Where it stood, so that order within a key holds also for a foreign partitioner; else by its key."""
    if origin.partition is not None and 0 <= origin.partition < count:
        return origin.partition
    return partition_for(record.key, count) if record.key is not None else 0


def _event(decoder: Decoder, record: StoredRecord) -> Event | None:
    try:
        return decoder.decode(record)
    except MalformedRecord:
        return None


def _warnings(event: Event | None, now: int) -> list[str]:
    if event is None:
        return ["it is no event, so it will be rejected again"]
    if event.expiry_at is not None and event.expiry_at <= now:
        return ["its time ran out, so nobody will start it any more"]
    return []


def _seen_by(events: Sequence[tuple[str, Event | None]]) -> list[tuple[str, int, int]]:
    found = []
    for reader in readers():
        mine = [event for topic, event in events if reader.reads(topic)]
        acts = sum(1 for event in mine if event is not None and _acts(reader, event))
        if mine:
            found.append((reader.label, acts, len(mine) - acts))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def _acts(reader: Reader, event: Event) -> bool:
    # A group that is no agents' may do anything with what it reads.
    return not reader.agent_group or reader.acts_on(event)


def _digest(targets: Iterable[Target]) -> str:
    text = ",".join(str(target.letter.pk) for target in targets)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
