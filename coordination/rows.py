"""The working set of a fold: rows by key, which to load, and which were touched."""

from collections.abc import Callable, Mapping

import msgspec

from coordination.agents import Agent
from coordination.fanouts import FanOut
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

    `family_of` answers None for topics that are none of ours (`Manifest.family_of` does); `partitions` overrides
    the declared counts with those of the real topics.
    """

    def __init__(
        self, family_of: Callable[[str], str | None] | None = None, partitions: Mapping[str, int] | None = None
    ) -> None:
        self._family_of = family_of or Manifest().family_of
        self._partitions = dict(partitions or {})
        self._families: dict[str, str] = {}
        self._places: dict[tuple[str, int], tuple[str, str]] = {}

    def family(self, topic: str) -> str:
        """The family of a topic, empty for topics that are none of ours."""
        found = self._families.get(topic)
        if found is None:
            found = self._families[topic] = self._family_of(topic) or ""
        return found

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 1 for a topic nobody declared or measured."""
        declared = TOPICS.get(self.family(topic))
        return self._partitions.get(topic) or (declared.partitions if declared else 1)

    def alike(self, topic: str, family: str) -> bool:
        """Whether a topic has as many partitions as those of a family, so that they share their shards."""
        homes = [name for name in self._partitions if self.family(name) == family]
        count = self.partitions(homes[0]) if homes else TOPICS[family].partitions
        return self.partitions(topic) == count

    def shard(self, topic: str, partition: int) -> str:
        """The shard of a partition: "<partition count of its topic>-<partition>", for instance "12-7"."""
        return self.place(topic, partition)[0]

    def place(self, topic: str, partition: int) -> tuple[str, str]:
        """(shard, family) of a partition."""
        found = self._places.get((topic, partition))
        if found is None:
            found = f"{self.partitions(topic)}-{partition}", self.family(topic)
            self._places[topic, partition] = found
        return found


class Rows:
    """Rows by key. A row that is missing here is taken to exist nowhere."""

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
    """Keys of the rows a fold changed or made. `gone`: fold parts that hold nothing any more, to be deleted."""

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
