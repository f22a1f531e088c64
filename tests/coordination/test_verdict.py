"""The verdict on a group is a table: evidence on the left, one word on the right."""

import pytest

from coordination.eventlog import Ends
from coordination.lag import MINUTE, SECOND, GroupFacts
from coordination.verdict import judge
from tests.coordination.lag_facts import NOW, behind, group, part, task

RISING = tuple(3 * MINUTE + n * SECOND for n in range(8))
GREW = [(NOW - 3 * MINUTE, 4)]


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
        ("commit moved back", group(part(reached=12)), "rewound"),
        ("records deleted unread", group(part(ends=Ends(12, 20, 20))), "lost"),
        ("commit regained its place", group(part(reached=10)), "idle"),
        (
            "ages rise and the queue grows while working",
            group(behind(9, 4 * MINUTE), ages=RISING, waits=GREW, last_start_at=NOW - SECOND),
            "slow",
        ),
        (
            "ages rise while a batch is worked off",
            group(behind(3, 4 * MINUTE), ages=RISING, waits=GREW, last_start_at=NOW - SECOND),
            "working",
        ),
        (
            "no task is told, but the commit moves on",
            group(behind(9, 4 * MINUTE, moved_at=NOW - SECOND)),
            "working",
        ),
        (
            "the commit moves on where only records of others lie",
            group(behind(9, 4 * MINUTE), part(partition=1, moved_at=NOW - SECOND)),
            "stuck",
        ),
        (
            "between the end of a long task and the start of the next",
            group(behind(9, 4 * MINUTE), last_start_at=NOW - 3 * MINUTE, last_end_at=NOW - SECOND),
            "working",
        ),
        (
            "poison at the head, while other partitions move on",
            group(
                behind(4, 5 * MINUTE, head_starts=3, head_offset=10),
                part(partition=1, moved_at=NOW - SECOND),
                last_start_at=NOW - MINUTE,
            ),
            "stuck",
        ),
        (
            "ages rise but young",
            group(behind(9, 20 * SECOND), ages=(1, 2, 3, 4, 5, 6, 7, 8), last_start_at=NOW),
            "working",
        ),
        (
            "the log is read until before the silence",
            group(behind(2, 5 * MINUTE), last_start_at=NOW - 4 * MINUTE, read_until=NOW - 3 * MINUTE),
            "unknown",
        ),
        (
            "the silence in what is read is short",
            group(behind(2, 3 * MINUTE), last_start_at=NOW - 150 * SECOND, read_until=NOW - MINUTE),
            "working",
        ),
        (
            "the silence in what is read is long",
            group(behind(2, 4 * MINUTE), read_until=NOW - MINUTE),
            "stuck",
        ),
        (
            "how many waited is known from long before only",
            group(behind(9, 4 * MINUTE), ages=RISING, waits=[(NOW - 5 * MINUTE, 0)], last_start_at=NOW - SECOND),
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
            waits=[(NOW - n * SECOND, max(1, 19 - (second - n) // 180)) for n in range(second, 0, -10)],
        )
        assert judge(facts, NOW).state == "working"


def test_quick_tasks_and_then_a_long_one_never_alarm() -> None:
    for second in range(0, 300, 5):
        facts = group(
            behind(5, second * SECOND),
            running=[task(second * SECOND, 3 * SECOND)],
            last_start_at=NOW - second * SECOND,
            p99={"think": 2 * SECOND},
        )
        assert judge(facts, NOW).state == "working"
