"""Evidence for the tests of lag and verdict: one caught-up partition, changed where a test says so."""

from coordination.eventlog import Ends
from coordination.lag import SECOND, GroupFacts, PartitionFacts, RunningTask

NOW = 1_000_000 * SECOND


def part(**given: object) -> PartitionFacts:
    facts: dict[str, object] = {
        "topic": "coord.run.task.commands",
        "partition": 0,
        "commit": 10,
        "ends": Ends(0, 10, 10),
        "polled_at": NOW,
        "waiting": 0,
        "member": "coder-1",
    }
    return PartitionFacts(**(facts | given))  # type: ignore[arg-type]


def behind(count: int, since: int, **given: object) -> PartitionFacts:
    return part(**({"ends": Ends(0, 10 + count, 10 + count), "waiting": count, "oldest_at": NOW - since} | given))


def task(since: int, seen: int = 0, kind: str = "think") -> RunningTask:
    return RunningTask(task_id="t", task_type=kind, agent_id="a", started_at=NOW - since, seen_at=NOW - seen)


def group(*partitions: PartitionFacts, **given: object) -> GroupFacts:
    facts: dict[str, object] = {"group": "coder", "partitions": partitions or (part(),), "members": 1}
    return GroupFacts(**(facts | given))  # type: ignore[arg-type]
