"""What all parts of a running instance share: who it is, what it holds, how it speaks and writes."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from coordination.agent.handled import Handled, name_of, record_of
from coordination.agent.ledger import Ledger
from coordination.agent.spec import Spec
from coordination.agent.voice import Clock, Identity, Said, Voice
from coordination.agent.work import Work
from coordination.agent.writer import Writer
from coordination.envelope import Decoder
from coordination.errors import MemberFenced
from coordination.event import Event
from coordination.eventlog import EventLog, NewRecord, TopicPartition
from coordination.events.shapes import Data


class Counters(msgspec.Struct):
    """What an instance has done since it started."""

    handled: int = 0
    failed: int = 0
    retried: int = 0
    duplicates: int = 0
    conflicts: int = 0
    dead_letters: int = 0
    refused: int = 0


class Instance:
    """One running instance of an agent. `works` is what is open on the partitions it is assigned.

    `since` tells from where on the ends of tasks requested now will be found, `abandon` makes the records that end
    the fan-outs of a piece of work which ends before them; the runtime provides both.
    """

    def __init__(self, spec: Spec, log: EventLog, identity: Identity, clock: Clock) -> None:
        self.spec = spec
        self.log = log
        self.identity = identity
        self.clock = clock
        self.manifest = spec.manifest
        self.voice = Voice(identity, spec.manifest, clock)
        self.ledger = Ledger(identity.group, self.manifest.topic_named("run.state.handled"))
        self.works: dict[str, Work] = {}
        self.counters = Counters()
        self.chance = random.Random()  # jitter, not a secret  # noqa: S311  # nosec B311
        self.writer: Writer | None = None
        self.decoder = Decoder(spec.manifest)
        self.since: Callable[[], Awaitable[dict[int, int]]] = _nowhere
        self.abandon: Callable[[Work, str, str], list[NewRecord]] = lambda work, reason, cause: []

    @property
    def group(self) -> str:
        """The agent group."""
        return self.identity.group

    @property
    def consumer_group(self) -> str:
        """The consumer group whose members share the work."""
        return f"agent.{self.identity.group}"

    @property
    def urgent_topics(self) -> frozenset[str]:
        """Topics that are never held back: decisions must not wait behind new work."""
        return frozenset((self.manifest.topic_named("run.decision.commands"),))

    @property
    def topics(self) -> list[str]:
        """What the consumer group reads: commands, decisions, and the topics of facts somebody subscribed to."""
        facts = {self.manifest.topic_for(name) for name in self.spec.facts}
        return sorted({self.manifest.topic_named("run.task.commands"), *self.urgent_topics, *facts})

    def say(self, event: Event, name: str, data: Data | None = None, **attributes: Any) -> Said:
        """A fact about the task of `event`, with what the envelope says of that task."""
        about: dict[str, Any] = {
            "task_id": event.task_id,
            "parent_task_id": event.parent_task_id,
            "fanout_id": event.fanout_id,
            "fanout_index": event.fanout_index,
            "tenant": event.tenant,
            "causation": event.id,
        }
        return self.voice.say(name, run_id=event.run_id, data=data, **(about | attributes))

    async def write(self, source: TopicPartition, records: Sequence[NewRecord], finish: int | None = None) -> None:
        """Write in one transaction with the position of `source`; returns when it is visible.

        Raises MemberFenced when the partition was lost.
        """
        if self.writer is None:
            raise MemberFenced("This instance has left its group.")
        await self.writer.put(source, records, finish)

    def mention(self, source: TopicPartition, records: Sequence[NewRecord]) -> None:
        """Write without waiting: what nobody's next step depends on."""
        if self.writer is not None:
            self.writer.put(source, records)

    def queue(
        self, memory: Handled, said: Sequence[Said] = (), more: Sequence[NewRecord] = (), *, finish: bool = False
    ) -> asyncio.Future[None]:
        """Say facts together with the memory they make, in one transaction, in the order of the calls.

        `finish`: the command needs no second reading, because it is done or its memory stands for it.
        """
        memory.updated_at = self.clock()
        memory.holder = self.identity.source
        self.ledger.shelf(memory.partition).keep(memory)
        records = [*(one.record for one in said), *more, record_of(memory, self.ledger.topic)]
        if self.writer is None:
            raise MemberFenced("This instance has left its group.")
        return self.writer.put(memory.source, records, memory.offset if finish else None)

    async def remember(
        self, memory: Handled, said: Sequence[Said] = (), more: Sequence[NewRecord] = (), *, finish: bool = False
    ) -> None:
        """`queue`, and wait until it is written. Raises MemberFenced when the partition was lost."""
        await self.queue(memory, said, more, finish=finish)

    def work_of(self, memory: Handled) -> Work | None:
        """The open work a memory belongs to."""
        return self.works.get(name_of(memory.kind, memory.key))


async def _nowhere() -> dict[int, int]:
    return {}
