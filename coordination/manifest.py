"""The declared topics: name, key, partitions, cleanup, retention and who may do what.

Topics are created from this table and the difference between it and the broker is shown. The run and review
classes share one partition count, so that one key lands on one partition number in all of them.
"""

from typing import Final, Literal

import msgspec

from coordination.eventlog import TopicSpec
from coordination.events import CATALOGUE
from coordination.events.catalogue import Key

DAY_MS: Final = 86_400_000
FOREVER: Final = -1
SHARED_PARTITIONS: Final = 12
OPS_PARTITIONS: Final = 3

AccessClass = Literal["run", "review", "ops"]


class Topic(msgspec.Struct, frozen=True):
    """One declared topic. `family` is its name without namespace; dead letters are `dlq.<class>`."""

    family: str
    access: AccessClass
    key: Key | Literal["original"]
    partitions: int
    cleanup: str
    retention_ms: int
    why: str


TOPICS: Final[dict[str, Topic]] = {
    topic.family: topic
    for topic in (
        Topic(
            "run.task.commands", "run", "taskid", 12, "delete", 7 * DAY_MS, "work queue of every agent group"
        ),
        Topic("run.task.events", "run", "taskid", 12, "delete", 30 * DAY_MS, "all facts of a task, in order"),
        Topic("run.tool.commands", "run", "taskid", 12, "delete", 3 * DAY_MS, "tool calls asked for"),
        Topic("run.tool.events", "run", "taskid", 12, "delete", 14 * DAY_MS, "bulky, may be sensitive"),
        Topic(
            "run.decision.commands", "run", "taskid", 12, "delete", 30 * DAY_MS, "signed decisions to agents"
        ),
        Topic(
            "run.state.handled", "run", "taskid", 12, "compact", FOREVER, "what each group has already done"
        ),
        Topic(
            "run.workflow.events", "run", "correlationid", 12, "delete", 90 * DAY_MS, "runs, fan-outs, joins"
        ),
        Topic(
            "run.state.task", "run", "taskid", 12, "compact,delete", 90 * DAY_MS, "current summary of a task"
        ),
        Topic(
            "run.state.workflow", "run", "correlationid", 12, "compact", FOREVER, "current summary of a run"
        ),
        Topic("run.state.agent", "run", "agentid", 3, "compact", FOREVER, "current summary of an agent"),
        Topic("review.approval.commands", "review", "taskid", 12, "delete", 30 * DAY_MS, "approval requests"),
        Topic(
            "review.approval.events", "review", "taskid", 12, "delete", 400 * DAY_MS, "what people decided"
        ),
        Topic("ops.commands", "ops", "subject", 3, "delete", 7 * DAY_MS, "redrive, replay"),
        Topic("ops.events", "ops", "subject", 3, "delete", 14 * DAY_MS, "telemetry"),
        Topic("ops.heartbeats", "ops", "agentid", 3, "compact,delete", DAY_MS, "who is alive"),
        Topic("dlq.run", "run", "original", 3, "delete", 30 * DAY_MS, "dead letters keep their class"),
        Topic("dlq.review", "review", "original", 3, "delete", 400 * DAY_MS, "dead letters keep their class"),
        Topic("dlq.ops", "ops", "original", 3, "delete", 30 * DAY_MS, "dead letters keep their class"),
    )
}


class Manifest:
    """The declared topics of one namespace."""

    def __init__(self, namespace: str = "coord") -> None:
        self.namespace = namespace
        self._names = {family: self._name(family) for family in TOPICS}
        self._families = {name: family for family, name in self._names.items()}

    def _name(self, family: str) -> str:
        first, _, rest = family.partition(".")
        return f"dlq.{self.namespace}.{rest}" if first == "dlq" else f"{self.namespace}.{family}"

    def topic_named(self, family: str) -> str:
        """The full topic name of a family, for instance `run.task.events` -> `coord.run.task.events`."""
        return self._names[family]

    def topic_for(self, event_name: str) -> str:
        """The topic an event type lives on. Raises KeyError for a name outside the catalogue."""
        return self._names[CATALOGUE[event_name].topic]

    def family_of(self, topic: str) -> str | None:
        """The family of a topic; None if it is not one of ours."""
        return self._families.get(topic)

    def specs(self, *, replication: int = 1) -> list[TopicSpec]:
        """The topics to create, with Kafka's own config names."""
        return [
            TopicSpec(
                self._names[topic.family],
                topic.partitions,
                replication,
                {"cleanup.policy": topic.cleanup, "retention.ms": str(topic.retention_ms)},
            )
            for topic in TOPICS.values()
        ]
