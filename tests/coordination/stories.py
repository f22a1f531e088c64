"""Made-up logs for tests of the fold: runs with everything that happens to runs, in partitions with offsets."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from coordination.event import Event
from coordination.events import CATALOGUE
from coordination.manifest import TOPICS, Manifest
from coordination.partitioner import partition_for

MANIFEST = Manifest()
START = 1_700_000_000_000_000
SECOND = 1_000_000


class Story:
    """Appends events to the partitions of a made-up log; every append is one millisecond later."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], list[Event]] = defaultdict(list)
        self.at = START
        self.ids = 0

    def say(
        self,
        name: str,
        *,
        run: str = "run-1",
        task: str = "",
        data: dict[str, Any] | None = None,
        topic: str | None = None,
        partition: int | None = None,
        at: int | None = None,
        **attributes: Any,
    ) -> Event:
        """One event of the catalogue, or of an unknown type, at the end of its partition."""
        self.at = self.at + 1000 if at is None else max(self.at, at)
        self.ids += 1
        entry = CATALOGUE.get(name)
        topic = topic or (MANIFEST.topic_for(name) if entry else MANIFEST.topic_named("run.task.events"))
        event = Event(
            id=attributes.pop("id", f"e-{self.ids}"),
            source=attributes.pop("source", "/test/agents/a/1"),
            type=f"coordination.{name}" if entry else name,
            name=name,
            known=entry is not None,
            time=self.at,
            at=self.at if at is None else at,
            run_id=run,
            task_id=task,
            data=msgspec.convert(data or {}, entry.schema) if entry else data,
            **attributes,
        )
        return self.append(event, topic, partition)

    def append(self, event: Event, topic: str, partition: int | None = None) -> Event:
        """Put an event at the end of a partition, by its key unless a partition is named."""
        declared = MANIFEST.declared(topic)
        count = 6 if topic.startswith("older.") else declared.partitions if declared else 12
        if partition is None:
            entry = CATALOGUE.get(event.name)
            key = event.run_id if entry and entry.key == "correlationid" else event.task_id
            key = event.agent_id or event.subject if entry and TOPICS[entry.topic].access == "ops" else key
            partition = partition_for(key.encode(), count)
        queue = self.partitions[topic, partition]
        placed = msgspec.structs.replace(event, topic=topic, partition=partition, offset=len(queue))
        queue.append(placed)
        return placed

    def request(self, task: str, *, run: str = "run-1", group: str = "coder", **data: Any) -> Event:
        """task.requested of type `data["task_type"]`, by default `write`."""
        attributes = {
            name: data.pop(name)
            for name in ("parent_task_id", "fanout_id", "fanout_index", "fold_key", "at", "partition", "tenant")
            if name in data
        }
        payload = {"task_type": "write"} | data
        return self.say("task.requested", run=run, task=task, target_group=group, data=payload, **attributes)

    def events(self) -> list[Event]:
        """All events, partition after partition."""
        return [event for key in sorted(self.partitions) for event in self.partitions[key]]


def interleaved(story: Story, rng: random.Random) -> Iterator[Event]:
    """The events in a random order that keeps the order inside each partition."""
    queues = [list(reversed(queue)) for _, queue in sorted(story.partitions.items()) if queue]
    while queues:
        index = rng.randrange(len(queues))
        for _ in range(min(len(queues[index]), rng.choice((1, 1, 2, 5)))):
            yield queues[index].pop()
        if not queues[index]:
            queues.pop(index)


def batches(events: Sequence[Event], rng: random.Random) -> Iterator[list[Event]]:
    """The events cut into batches at random."""
    start = 0
    while start < len(events):
        size = rng.choice((1, 2, 3, 10, 50, len(events)))
        yield list(events[start : start + size])
        start += size
