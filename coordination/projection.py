"""The fold: records in, rows out. Nothing else loops over events.

Use, once per batch: `keys_of(events)` names the rows the events are about; load those that exist into `Rows`;
`part_keys(rows, events)` then names the counting parts; load those too; `fold(rows, events)` changes the rows
in place and tells which ones. No clock, no I/O. A failed transaction leaves the rows ahead of the tables:
throw them away and load anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from coordination.agents import Agent
from coordination.envelope import Event
from coordination.joins import FanOut
from coordination.manifest import TOPICS, Manifest
from coordination.requests import Request
from coordination.runs import FoldPart, RunPart
from coordination.tasks import Task

TaskKey = tuple[str, str]
RunKey = tuple[str, str]
FoldKey = tuple[str, str, str]
FanOutKey = tuple[str, str]
AgentKey = tuple[str, str]


class Layout:
    """Which family a topic belongs to and how many partitions it has: what a shard is made of.

    `family_of` answers None for topics that are none of ours; `partitions` overrides the declared counts
    with those of the real topics.
    """

    def __init__(
        self, family_of: Callable[[str], str | None] | None = None, partitions: Mapping[str, int] | None = None
    ) -> None:
        self.family_of = family_of or Manifest().family_of
        self._partitions = dict(partitions or {})
        self._shards: dict[tuple[str, int], str] = {}

    def shard(self, topic: str, partition: int) -> str:
        """The shard of a partition: "<partition count of its topic>-<partition>", for instance "12-7"."""
        found = self._shards.get((topic, partition))
        if found is None:
            declared = TOPICS.get(self.family_of(topic) or "")
            count = self._partitions.get(topic) or (declared.partitions if declared else 1)
            found = self._shards[topic, partition] = f"{count}-{partition}"
        return found


class Rows:
    """The working set of a fold, by key. Rows that are missing here are taken to exist nowhere."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()
        self.tasks: dict[TaskKey, Task] = {}
        self.run_parts: dict[RunKey, RunPart] = {}
        self.fold_parts: dict[FoldKey, FoldPart] = {}
        self.fan_outs: dict[FanOutKey, FanOut] = {}
        self.requests: dict[str, Request] = {}
        self.agents: dict[AgentKey, Agent] = {}


class Keys(msgspec.Struct):
    """Rows to load before a fold, first step."""

    tasks: set[TaskKey] = set()
    fan_outs: set[FanOutKey] = set()
    requests: set[str] = set()
    agents: set[AgentKey] = set()


class PartKeys(msgspec.Struct):
    """Rows to load before a fold, second step: which parts count these tasks is known from their rows."""

    run_parts: set[RunKey] = set()
    fold_parts: set[FoldKey] = set()


class Touched(msgspec.Struct):
    """Keys of the rows a fold changed or made. `gone`: fold parts that count nothing any more, to be deleted."""

    tasks: set[TaskKey] = set()
    run_parts: set[RunKey] = set()
    fold_parts: set[FoldKey] = set()
    fan_outs: set[FanOutKey] = set()
    requests: set[str] = set()
    agents: set[AgentKey] = set()
    gone: set[FoldKey] = set()

    @property
    def runs(self) -> set[str]:
        """Ids of the runs whose summary may have changed."""
        return {run_id for run_id, _ in self.run_parts}


def keys_of(events: Iterable[Event]) -> Keys:
    """The rows these events are about."""
    raise NotImplementedError


def part_keys(rows: Rows, events: Sequence[Event]) -> PartKeys:
    """The counting parts these events may touch, given the Task rows loaded for `keys_of(events)`."""
    raise NotImplementedError


def fold(rows: Rows, events: Iterable[Event]) -> Touched:
    """Apply events, in offset order within each partition, to the rows in place."""
    raise NotImplementedError
