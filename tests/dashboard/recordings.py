"""Stored records for tests: events as agents send them, kept in segments as ingest keeps them."""

from collections import Counter
from typing import Any

import msgspec

from coordination.envelope import Decoder, new_event
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, StoredRecord
from coordination.manifest import Manifest
from dashboard.models import Batch, Segment, Stretch
from dashboard.segments import SEGMENTS_A_BATCH, Packer, task_bit
from tests.dashboard.scenes import NOW, SECOND


class Recording:
    """Events of one run. Each `say` is the next offset of its partition, one second after the one before."""

    def __init__(self, run_id: str = "run-1", partition: int = 4) -> None:
        self.run_id = run_id
        self.partition = partition
        self.records: list[StoredRecord] = []
        self._offsets: Counter[str] = Counter()

    def say(self, name: str, data: Any = None, *, id: str = "", task_id: str = "task-1", **given: Any) -> Event:  # noqa: A002
        """An event on its home topic; returns it as a reader sees it."""
        at = NOW + len(self.records) * SECOND
        made = new_event(
            name,
            source="/coord/agents/researcher-1/x",
            agent_id="researcher-1",
            agent_group="researcher",
            id=id or f"e{len(self.records)}",
            time=at,
            run_id=self.run_id,
            task_id=task_id,
            data=msgspec.to_builtins(data or {}),
            manifest=Manifest(),
            **given,
        )
        return self.keep(made.topic, made.key, made.value, made.headers, at)

    def keep(
        self, topic: str, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...], at: int = NOW
    ) -> Event:
        """A record of whatever kind."""
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        record = StoredRecord(topic, self.partition, offset, at // 1000, APPEND_TIME, key, value, headers)
        self.records.append(record)
        return Decoder(Manifest()).decode(record)

    def store(self, *, a_batch: int = 100) -> None:
        """Keep the records in segments of at most `a_batch`."""
        packer = Packer()
        packer.keep_dictionary()
        for first in range(0, len(self.records), a_batch):
            some = self.records[first : first + a_batch]
            batch = Batch.objects.create(worker="w-1", read_at=NOW, records=len(some))
            bits = 0
            for record in some:
                bits |= task_bit(Decoder(Manifest()).decode(record).task_id)
            Segment.objects.create(
                id=batch.pk * SEGMENTS_A_BATCH,
                run_id=self.run_id,
                first_at=some[0].timestamp * 1000,
                last_at=some[-1].timestamp * 1000,
                records=len(some),
                tasks=bits,
                dictionary_id=packer.dictionary_id,
                blob=packer.pack(some),
            )
            self._stretches(batch.pk, some)

    def _stretches(self, batch_id: int, some: list[StoredRecord]) -> None:
        for topic in {record.topic for record in some}:
            offsets = [record.offset for record in some if record.topic == topic]
            Stretch.objects.create(
                topic=topic,
                partition=self.partition,
                first_offset=min(offsets),
                last_offset=max(offsets),
                batch_id=batch_id,
            )


def tried_twice(run_id: str = "run-1") -> Recording:
    """A task that is asked for, tried, fails, is tried again with a tool, and completes."""
    log = Recording(run_id)
    log.say("task.requested", {"task_type": "research", "title": "look"}, id="ask", target_group="researcher")
    log.say("task.started", id="s1", causation="ask", attempt=1)
    error = {"type": "HTTPError", "message": "410 gone\nfor good"}
    log.say("task.attempt.failed", {"error": error}, id="f1", causation="s1", attempt=1)
    log.say("task.started", id="s2", causation="f1", attempt=2)
    call = {"tool_call_id": "c1", "tool_name": "search"}
    log.say("tool.call.started", call, id="t1", causation="s2", subject="toolcall/c1")
    log.say(
        "tool.call.completed", call | {"tokens_in": 10, "tokens_out": 5}, id="t2", causation="t1", subject="toolcall/c1"
    )
    log.say("task.completed", {"output": {"answer": 42}}, id="done", causation="s2", attempt=2)
    return log
