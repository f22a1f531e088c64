"""What tests of the relay share: decisions waiting in the outbox, a relay that runs, and what is on the log then."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django.contrib.auth.models import User

from coordination.approvals import content_hash
from coordination.envelope import Decoder
from coordination.event import Event
from coordination.eventlog import EventLog, Record, TopicPartition
from coordination.manifest import Manifest
from dashboard import approvals
from dashboard.databasethread import DatabaseThread
from dashboard.models import Decision
from dashboard.relay import Limits, Relay
from tests.dashboard.cast import PAY, ask, person

T = TypeVar("T")
HASH = content_hash(PAY)
FACTS, COMMANDS = "coord.review.approval.events", "coord.run.decision.commands"
QUICK = Limits(look_every=0.02, opening=10, asking=10, sending=10, reading=10, closing=2, reconsider=0.2)


def decided(count: int, *, tasks: int = 7, first: int = 0, **given: Any) -> list[str]:
    """So many approvals, asked and granted one after the other; returns the ids of their decisions."""
    who = User.objects.filter(username="ana").first() or person("ana")
    ids = []
    for number in range(first, first + count):
        ask(f"ask-{number}", task=f"task-{number % tasks}", **given)
        saved = approvals.decide(
            approval_id=f"ask-{number}", user=who, decision="approve", request_version=1, content_hash=HASH
        )
        ids.append(saved.decision_id)
    return ids


def release() -> None:
    """Let all undo windows be over."""
    Decision.objects.update(held_until=0)


async def create_topics(log: EventLog, *, without: Sequence[str] = (), namespace: str = "coord") -> None:
    """The topics of the manifest."""
    await log.create_topics([spec for spec in Manifest(namespace).specs() if spec.name not in without])


async def on_log(log: EventLog, topic: str) -> list[Event]:
    """All committed events of a topic, partition by partition, in order."""
    count = (await log.topics())[topic].partitions
    ends = await log.ends([TopicPartition(topic, number) for number in range(count)])
    reader = await log.reader({at: end.begin for at, end in ends.items()})
    records: list[Record] = []
    async with asyncio.timeout(20):
        while any(reader.positions()[at] < end.high for at, end in ends.items()):
            records.extend(await reader.read(500, 0.2))
    await reader.close()
    decoder = Decoder()
    return [decoder.decode(record) for record in sorted(records, key=lambda each: (each.partition, each.offset))]


@asynccontextmanager
async def relaying(log: EventLog, **given: Any) -> AsyncIterator[Relay]:
    """A relay that runs as long as the block does."""
    stop = asyncio.Event()
    relay = Relay(log, **({"limits": QUICK} | given))
    task = asyncio.create_task(relay.run(stop))
    try:
        yield relay
    finally:
        stop.set()
        await task


@asynccontextmanager
async def tables() -> AsyncIterator[DatabaseThread]:
    """A thread for the test's own questions."""
    thread = DatabaseThread("test")
    try:
        yield thread
    finally:
        await thread.close()


async def until(thread: DatabaseThread, holds: Callable[[], bool], timeout: float = 20.0) -> None:
    """Wait until an eventually true statement about the tables is true."""
    async with asyncio.timeout(timeout):
        while not await thread.run(holds):
            await asyncio.sleep(0.02)


def settled() -> bool:
    """Whether nothing waits in the outbox."""
    return not Decision.objects.filter(state="saved").exists()


def pending_count() -> int:
    """How many rows wait in the outbox."""
    return Decision.objects.filter(state="saved").count()


def the_rows() -> list[Decision]:
    return list(Decision.objects.order_by("saved_at"))


def ids_of(events: Sequence[Event], name: str) -> list[str]:
    return [event.data.decision_id for event in events if event.name == name]
