"""Whatever is changed, removed or swapped in the audit trail: the place is named, also where the end was cut off."""

import asyncio
import random
from typing import Any

import pytest
from django.db import transaction

from coordination.eventlog import APPEND_TIME, StoredRecord
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard.anchoring import anchor_record
from dashboard.audit import Broken, digest_of, enter, verify
from dashboard.models import Audit
from dashboard.publishedheads import PublishedHead, first_contradiction, published_heads

pytestmark = pytest.mark.django_db
ENTRIES = 24
ACTS = ("approval.vote", "session.begun", "payload.unmasked", "task.cancel", "policy.changed", "gap.accepted")
FIELDS = ("number", "at", "actor", "act", "subject", "detail", "previous", "digest")


@pytest.fixture
def heads() -> list[PublishedHead]:
    """A trail of many acts, and its head on a log."""
    for number in range(ENTRIES):
        detail = {"before": {"state": "pending"}, "after": {"state": "granted"}, "comment": f"ünï {number}"}
        last = enter(f"user-{number % 5}", ACTS[number % len(ACTS)], f"approval/ask-{number}", detail)
    log = MemoryLog()

    async def told() -> list[PublishedHead]:
        await log.create_topics(Manifest().specs())
        await log.append([anchor_record(last)])
        return await published_heads(log, Manifest())

    return asyncio.run(told())


def broken(heads: list[PublishedHead]) -> Broken | None:
    return verify() or first_contradiction(heads)


def change_a_byte(chance: random.Random, number: int) -> int:
    row = Audit.chain.get(number=number)
    field = chance.choice(FIELDS)
    value: Any = getattr(row, field)
    if isinstance(value, int):
        changed: Any = value ^ (1 << chance.randrange(40))
        changed = changed + 2**50 if field == "number" else changed
    else:
        text = bytearray(value.encode())
        at = chance.randrange(len(text))
        text[at] ^= 1 << chance.randrange(7)
        changed = text.decode(errors="replace").replace("\0", "0")
        changed = changed if changed != value else f"{value}x"
    Audit.chain.filter(number=number).update(**{field: changed})
    return number


def remove(chance: random.Random, number: int) -> int:
    Audit.chain.filter(number=number).delete()
    return number


def swap(chance: random.Random, number: int) -> int:
    other = chance.choice([each for each in range(1, ENTRIES + 1) if each != number])
    one, two = Audit.chain.get(number=number), Audit.chain.get(number=other)
    names = [field for field in FIELDS if field != "number"]
    for row, source in ((number, two), (other, one)):
        Audit.chain.filter(number=row).update(**{name: getattr(source, name) for name in names})
    return min(number, other)


TAMPERS = (change_a_byte, change_a_byte, remove, swap)


def tampered(heads: list[PublishedHead], seed: int) -> None:
    chance = random.Random(seed)
    with transaction.atomic():
        act = chance.choice(TAMPERS)
        place = act(chance, chance.randint(1, ENTRIES))
        found = broken(heads)
        assert found is not None, (seed, act)
        assert found.number == place, (seed, act, found.reason)
        assert f"entry {place}" in found.reason
        transaction.set_rollback(True)


def test_an_untouched_trail_agrees_with_its_head_on_the_log(heads: list[PublishedHead]) -> None:
    assert [head.number for head in heads] == [ENTRIES]
    assert broken(heads) is None


def test_a_hundred_tampers_are_each_named_by_their_place(heads: list[PublishedHead]) -> None:
    for seed in range(100):
        tampered(heads, seed)
    assert broken(heads) is None


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_thousand_tampers_are_each_named_by_their_place(heads: list[PublishedHead]) -> None:
    for seed in range(1_000, 2_000):
        tampered(heads, seed)


def test_a_trail_that_was_written_anew_as_a_whole_contradicts_the_log(heads: list[PublishedHead]) -> None:
    previous = "0" * 64
    for row in Audit.chain.order_by("number"):
        actor = "somebody else" if row.number == 5 else row.actor
        digest = digest_of(row.number, row.at, actor, row.act, row.subject, row.detail, previous)
        Audit.chain.filter(number=row.number).update(actor=actor, previous=previous, digest=digest)
        previous = digest
    assert verify() is None, "the chain alone cannot tell"
    found = first_contradiction(heads)
    assert found is not None
    assert (found.number, "another one than it was" in found.reason) == (ENTRIES, True)


def test_what_others_wrote_on_the_topic_of_heads_is_passed_over() -> None:
    log, last = MemoryLog(), enter("user-1", "act", "x")
    record = anchor_record(last)

    async def told() -> list[PublishedHead]:
        await log.create_topics(Manifest().specs())
        broken_one = StoredRecord(record.topic, 0, 0, 0, APPEND_TIME, None, b"{", record.headers)
        await log.append([type(record)(record.topic, record.key, broken_one.value, record.headers), record])
        return await published_heads(log, Manifest())

    assert [head.number for head in asyncio.run(told())] == [1]
