"""A piece of work in the hands of an instance: its memory, its command, and the coroutine that does it."""

import asyncio
from typing import Any, Literal

import msgspec

from coordination.agent.handled import Handled, Kind, name_of
from coordination.event import Event
from coordination.eventlog import Record, StoredRecord

Stopping = Literal["", "canceled", "lost", "released"]


class Work:
    """Work that is open. `event` is its command; `stopping` says why its handler is being ended.

    `runner` writes how it begins and ends, `running` is the handler inside of it. `announced`: somebody said already
    that it was accepted.
    """

    def __init__(self, memory: Handled, event: Event) -> None:
        self.memory = memory
        self.event = event
        self.runner: asyncio.Task[None] | None = None
        self.running: asyncio.Task[Any] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.announced = memory.holder != ""
        self.stopping: Stopping = ""
        self.stop_reason = ""

    @property
    def name(self) -> str:
        """How it is found among the open works of an instance."""
        return name_of(self.memory.kind, self.memory.key)

    @property
    def task_type(self) -> str:
        """The type of the task; for other kinds of work empty, unless the memory knows the task."""
        return str(getattr(self.event.data, "task_type", ""))

    @property
    def task_id(self) -> str:
        """The task it is about."""
        return self.event.task_id

    @property
    def cause(self) -> str:
        """The id of the event that made it go on last."""
        return self.memory.cause or self.event.id

    @property
    def in_hand(self) -> bool:
        """Whether it is being executed now."""
        return self.runner is not None and not self.runner.done()

    def stop(self, why: Stopping, reason: str = "") -> None:
        """End its handler if it runs or is about to; how it ended is written by the runner."""
        self.stopping, self.stop_reason = why, reason
        self.disarm()
        if self.running is not None:
            self.running.cancel(why)

    def disarm(self) -> None:
        """Forget its timer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def new_memory(kind: Kind, key: str, event: Event, record: Record, group: str) -> Handled:
    """The memory of a piece of work that begins with this record."""
    memory = Handled(
        group=group,
        kind=kind,
        key=key,
        status="accepted",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        updated_at=event.at,
        run_id=event.run_id,
        tenant=event.tenant,
        command=kept(record),
    )
    memory.note(event.source, event.id)
    return memory


def kept(record: Record) -> StoredRecord:
    """A copy of a record that can be remembered."""
    return StoredRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        record.key,
        record.value,
        tuple(record.headers),
    )


def raw_data(record: Record) -> dict[str, object]:
    """The JSON object of a record in binary mode as it was sent, unknown members included; {} if it is none."""
    try:
        return msgspec.json.decode(record.value or b"{}", type=dict[str, object])
    except msgspec.DecodeError:
        return {}
