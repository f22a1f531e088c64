"""The verdict on a group is a table: evidence on the left, one word on the right."""

import pytest

from coordination.eventlog import Ends
from coordination.lag import (
    MINUTE,
    SECOND,
    Eta,
    GroupFacts,
    Limits,
    PartitionFacts,
    RunningTask,
    age,
    eta,
    judge,
    offset_gap,
    partition_state,
    retention_left,
    waiting,
    words,
)

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


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (part(), "caught up"),
        (behind(3, SECOND), "behind"),
        (part(ends=Ends(0, 14, 14)), "caught up"),
        (part(commit=None, committed=False), "not started"),
        (part(ends=Ends(11, 20, 20)), "truncated"),
        (part(commit=30), "beyond end"),
        (part(ends=Ends(0, 10, 15)), "blocked by an open transaction"),
        (part(denied=True), "no permission"),
        (part(topic_recreated=True), "topic recreated"),
        (part(polled_at=NOW - MINUTE), "stale"),
        (part(ends=None), "unknown"),
    ],
)
def test_a_partition_has_one_state(given: PartitionFacts, state: str) -> None:
    assert partition_state(given, NOW, Limits()) == state


def group(*partitions: PartitionFacts, **given: object) -> GroupFacts:
    facts: dict[str, object] = {"group": "coder", "partitions": partitions or (part(),), "members": 1}
    return GroupFacts(**(facts | given))  # type: ignore[arg-type]


RISING = tuple(3 * MINUTE + n * SECOND for n in range(8))


@pytest.mark.parametrize(
    ("name", "given", "state"),
    [
        ("nothing waits, nothing runs", group(), "idle"),
        ("only markers left", group(part(ends=Ends(0, 12, 12))), "idle"),
        (
            "one long task with a heartbeat",
            group(behind(20, MINUTE), running=[task(170 * SECOND, 2 * SECOND)]),
            "working",
        ),
        (
            "thinking for five minutes, five behind",
            group(behind(5, 5 * MINUTE), running=[task(299 * SECOND, SECOND)]),
            "working",
        ),
        ("waiting, within patience", group(behind(2, 20 * SECOND)), "working"),
        (
            "killed: no start, no heartbeat",
            group(behind(2, 3 * MINUTE), running=[task(4 * MINUTE, 4 * MINUTE)]),
            "stuck",
        ),
        ("alive, heartbeat, no progress", group(behind(2, 3 * MINUTE), last_heartbeat_at=NOW - SECOND), "stuck"),
        ("runs beyond every limit", group(behind(2, MINUTE * 20), running=[task(20 * MINUTE, SECOND)]), "stuck"),
        ("started, then silence, nothing waits", group(running=[task(20 * MINUTE, 10 * MINUTE)]), "stuck"),
        (
            "such tasks take long",
            group(behind(2, 3 * MINUTE), waiting_types=["think"], p99={"think": 5 * MINUTE}),
            "working",
        ),
        (
            "poison at the head",
            group(behind(4, 5 * MINUTE, head_starts=3, head_offset=10), last_start_at=NOW - MINUTE),
            "stuck",
        ),
        ("no member", group(behind(4, MINUTE, member=None), members=0), "unassigned"),
        ("no member on one partition", group(behind(4, MINUTE, member=None)), "unassigned"),
        ("members unknown is never dead", group(behind(4, MINUTE, member=None), members=None), "working"),
        ("a storm of generations", group(generations=[(NOW - n * SECOND, n) for n in range(6)]), "flapping"),
        ("a few generations", group(generations=[(NOW - n * SECOND, n) for n in range(3)]), "idle"),
        ("commit moved back", group(part(previous_commit=12)), "rewound"),
        ("records deleted unread", group(part(ends=Ends(12, 20, 20))), "lost"),
        ("ages rise while working", group(behind(9, 4 * MINUTE), ages=RISING, last_start_at=NOW - SECOND), "slow"),
        (
            "ages rise but young",
            group(behind(9, 20 * SECOND), ages=(1, 2, 3, 4, 5, 6, 7, 8), last_start_at=NOW),
            "working",
        ),
        ("nothing readable", group(part(denied=True), part(ends=None)), "unknown"),
        ("one partition readable", group(part(denied=True), part()), "idle"),
    ],
)
def test_the_verdict_table(name: str, given: GroupFacts, state: str) -> None:
    verdict = judge(given, NOW)
    assert verdict.state == state, f"{name}: {verdict}"
    assert verdict.reason


def test_twenty_tasks_of_three_minutes_on_one_agent_never_alarm() -> None:
    for second in range(0, 3600, 5):
        running = [task(second % 180 * SECOND, 4 * SECOND)]
        facts = group(
            behind(max(1, 19 - second // 180), second * SECOND),
            running=running,
            last_start_at=NOW - second % 180 * SECOND,
            ages=tuple(max(0, second - 5 * n) * SECOND for n in range(9, 0, -1)),
        )
        assert judge(facts, NOW).state in ("working", "slow")


def test_quick_tasks_and_then_a_long_one_never_alarm() -> None:
    for second in range(0, 300, 5):
        facts = group(
            behind(5, second * SECOND),
            running=[task(second * SECOND, 3 * SECOND)],
            last_start_at=NOW - second * SECOND,
            p99={"think": 2 * SECOND},
        )
        assert judge(facts, NOW).state == "working"


def test_sums_skip_unknown_partitions_and_say_so() -> None:
    assert waiting(group(behind(3, SECOND), part(waiting=None))) == (3, 1)


def test_age_is_that_of_the_first_waiting_record_and_zero_without_one() -> None:
    assert age(group(behind(1, 5 * SECOND), behind(1, 9 * SECOND)), NOW) == 9 * SECOND
    assert age(group(), NOW) == 0


def test_the_offset_gap_starts_at_the_first_record_still_kept() -> None:
    assert offset_gap(group(part(commit=5, ends=Ends(8, 20, 20)))) == 12


def test_eta_is_the_slowest_partition() -> None:
    durations = {"a": (SECOND, 2 * SECOND)}
    assert eta([(["a", "a"], 1), (["a"], 1)], durations, arrivals=1, drained=2) == Eta("range", 2 * SECOND, 4 * SECOND)


@pytest.mark.parametrize(
    ("partitions", "arrivals", "drained", "text"),
    [
        ([], 0.0, 0.0, "none"),
        ([(["a"], 0)], 0.0, 1.0, "cannot start"),
        ([(["a"], 1)], 2.0, 1.0, "not catching up"),
        ([(["b"], 1)], 0.0, 1.0, "unknown"),
        ([(["a"], 1)], 0.0, 1.0, "1.0 s to 2.0 s"),
    ],
)
def test_eta_in_words(partitions: list[tuple[list[str], int]], arrivals: float, drained: float, text: str) -> None:
    assert eta(partitions, {"a": (SECOND, 2 * SECOND)}, arrivals=arrivals, drained=drained).text() == text


def test_the_retention_clock_runs_against_the_oldest_waiting_record() -> None:
    assert retention_left(NOW - 2 * MINUTE, 5 * MINUTE, NOW) == 3 * MINUTE
    assert retention_left(None, 5 * MINUTE, NOW) is None
    assert retention_left(NOW, -1, NOW) is None


def test_durations_read_like_a_clock() -> None:
    spoken = [words(s * SECOND) for s in (0, 59, 61, 3600, 90_000)]
    assert spoken == ["0.0 s", "59 s", "1 m 01 s", "1 h 00 m", "1 d 1 h"]
    assert words(None) == "unknown"
    assert words(-2 * SECOND) == "-2.0 s"
