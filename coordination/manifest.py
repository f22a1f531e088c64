"""The declared topics: name, key, partitions, cleanup, retention and who may do what.

Topics are created from this table and the difference between it and the broker is shown. The run and review
classes share one partition count, so that one key lands on one partition number in all of them; topics with
another count write only rows of their own.
"""

from typing import Final, Literal

import msgspec

from coordination.eventlog import TopicSpec
from coordination.events import CATALOGUE
from coordination.events.catalogue import Key
from coordination.topicmapping import NO_MAPPING, TopicMapping

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
FOREVER: Final = -1
SHARED: Final = 12
APART: Final = 3

AccessClass = Literal["run", "review", "ops"]
DELETE: Final = "delete"
COMPACT: Final = "compact"
BOTH: Final = "compact,delete"


class Topic(msgspec.Struct, frozen=True):
    """One declared topic.

    `family` is its name without namespace; dead letters are `dlq.<class>`. `agents_write`: agents may append;
    agents read the run class only, and never the review class. `retention_ms` is -1 for ever.
    """

    family: str
    access: AccessClass
    key: Key | Literal["original"]
    partitions: int
    cleanup: str
    retention_ms: int
    agents_write: bool
    why: str

    @property
    def dead_letters(self) -> bool:
        """Whether its records are dead letters: kept by position, never folded."""
        return self.family.startswith("dlq.")

    @property
    def compacted(self) -> bool:
        """Whether a record without a value deletes its key."""
        return COMPACT in self.cleanup

    def config(self, replication: int) -> dict[str, str]:
        """The topic's settings by Kafka's names. Append time, so that instants come from one clock."""
        config = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime",
        }
        if self.compacted:
            config["min.compaction.lag.ms"] = str(HOUR_MS)
            config["delete.retention.ms"] = str(7 * DAY_MS)
        if replication >= 3:
            config["min.insync.replicas"] = "2"
        return config


def _days(days: int) -> int:
    return days * DAY_MS


_ROWS: Final = (
    Topic("run.task.commands", "run", "taskid", SHARED, DELETE, _days(7), True, "work queue of all agent groups"),
    Topic("run.task.events", "run", "taskid", SHARED, DELETE, _days(30), True, "all facts of a task, in order"),
    Topic("run.tool.commands", "run", "taskid", SHARED, DELETE, _days(3), True, "tool calls asked for"),
    Topic("run.tool.events", "run", "taskid", SHARED, DELETE, _days(14), True, "bulky, may be sensitive"),
    Topic("run.decision.commands", "run", "taskid", SHARED, DELETE, _days(30), False, "only the relay writes"),
    Topic("run.state.handled", "run", "taskid", SHARED, COMPACT, FOREVER, True, "what each group has handled"),
    Topic(
        "run.workflow.events",
        "run",
        "correlationid",
        SHARED,
        DELETE,
        _days(90),
        True,
        "runs, fan-outs, joins",
    ),
    Topic("run.state.task", "run", "taskid", SHARED, BOTH, _days(90), False, "current summary of a task"),
    Topic("run.state.workflow", "run", "correlationid", SHARED, COMPACT, FOREVER, False, "summary of a run"),
    Topic("run.state.agent", "run", "agentid", APART, COMPACT, FOREVER, False, "current summary of an agent"),
    Topic("review.approval.commands", "review", "taskid", SHARED, DELETE, _days(30), True, "approval requests"),
    Topic("review.approval.events", "review", "taskid", SHARED, DELETE, _days(400), False, "what people decided"),
    Topic("ops.commands", "ops", "subject", APART, DELETE, _days(7), False, "redrive, replay"),
    Topic("ops.events", "ops", "subject", APART, DELETE, _days(14), True, "registrations, incidents"),
    Topic("ops.heartbeats", "ops", "agentid", APART, BOTH, _days(1), True, "who is alive"),
    Topic("dlq.run", "run", "original", APART, DELETE, _days(30), True, "dead letters keep their class"),
    Topic("dlq.review", "review", "original", APART, DELETE, _days(400), False, "dead letters keep their class"),
    Topic("dlq.ops", "ops", "original", APART, DELETE, _days(30), False, "dead letters keep their class"),
)
TOPICS: Final[dict[str, Topic]] = {topic.family: topic for topic in _ROWS}


class Manifest:
    """The declared topics of one namespace, under the names they have on this log.

    A mapping gives a family the name of a topic that exists already. Several topics may be mapped to one
    family: all are read, the first is written.
    """

    def __init__(self, namespace: str = "coord", mapping: TopicMapping = NO_MAPPING) -> None:
        self.namespace: Final = namespace
        self.mapping: Final = mapping
        self._families = {self._declared(family): family for family in TOPICS}
        taken = set(mapping.topics.values())
        self._families = {name: family for name, family in self._families.items() if family not in taken}
        self._families |= mapping.topics
        self._names: dict[str, str] = {}
        for name, family in self._families.items():
            self._names.setdefault(family, name)

    def _declared(self, family: str) -> str:
        first, _, rest = family.partition(".")
        return f"dlq.{self.namespace}.{rest}" if first == "dlq" else f"{self.namespace}.{family}"

    @property
    def topics(self) -> tuple[str, ...]:
        """The names of all our topics on this log."""
        return tuple(self._families)

    def topic_named(self, family: str) -> str:
        """The full topic name of a family, for instance `run.task.events` -> `coord.run.task.events`.

        Raises KeyError for a family that is not declared.
        """
        return self._names[family]

    def topic_for(self, event_name: str) -> str:
        """The topic an event type lives on. Raises KeyError for a name outside the catalogue."""
        return self._names[CATALOGUE[event_name].topic]

    def family_of(self, topic: str) -> str | None:
        """The family of a topic; None if it is not one of ours."""
        return self._families.get(topic)

    def declared(self, topic: str) -> Topic | None:
        """What is declared about a topic; None if it is not one of ours."""
        family = self._families.get(topic)
        return None if family is None else TOPICS[family]

    def dead_letter_topic(self, topic: str) -> str:
        """Where records of a topic go that could not be handled: dead letters keep their class.

        A topic that is not ours has its dead letters in the run class.
        """
        declared = self.declared(topic)
        return self._names[f"dlq.{declared.access if declared else 'run'}"]

    def co_partitioned(self) -> tuple[str, ...]:
        """The topics that share partition count and partitioner, so that a key has one partition number."""
        return tuple(name for name, family in self._families.items() if TOPICS[family].partitions == SHARED)

    def specs(self, *, replication: int = 1) -> list[TopicSpec]:
        """The topics to create, with Kafka's own config names."""
        return [
            TopicSpec(name, TOPICS[family].partitions, replication, TOPICS[family].config(replication))
            for name, family in self._families.items()
        ]

    def agents_may_write(self, topic: str) -> bool:
        """Whether an agent's credentials allow appending to a topic."""
        declared = self.declared(topic)
        return declared is not None and declared.agents_write

    def agents_may_read(self, topic: str) -> bool:
        """Whether an agent's credentials allow reading a topic: the run class, dead letters excepted."""
        declared = self.declared(topic)
        return declared is not None and declared.access == "run" and not declared.dead_letters
