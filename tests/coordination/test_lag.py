"""Definitions of lag: each word of the agents page has one meaning, and a test for it."""

import msgspec
import pytest

from coordination.eventlog import Ends
from coordination.lag import (
    MINUTE,
    SECOND,
    Eta,
    Hot,
    Limits,
    PartitionFacts,
    age,
    eta,
    offset_gap,
    partition_state,
    retention_clock,
    retention_left,
    trend,
    waiting,
    words,
)
from tests.coordination.lag_facts import NOW, behind, group, part


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


def test_sums_skip_unknown_partitions_and_say_so() -> None:
    assert waiting(group(behind(3, SECOND), part(waiting=None))) == (3, 1)


def test_age_is_that_of_the_first_waiting_record_and_zero_without_one() -> None:
    assert age(group(behind(1, 5 * SECOND), behind(1, 9 * SECOND)), NOW) == 9 * SECOND
    assert age(group(), NOW) == 0


def test_the_offset_gap_starts_at_the_first_record_still_kept() -> None:
    assert offset_gap(group(part(commit=5, ends=Ends(8, 20, 20)))) == 12


def test_eta_is_the_slowest_partition() -> None:
    durations = {"a": (SECOND, 2 * SECOND)}
    queues = [({"a": 2}, 1.0), ({"a": 1}, 1.0)]
    assert eta(queues, durations, arrivals=1, drained=2) == Eta("range", 2 * SECOND, 4 * SECOND)


def test_eta_knows_how_many_tasks_at_a_time_a_partition_gets() -> None:
    durations = {"a": (SECOND, 2 * SECOND), "b": (4 * SECOND, 4 * SECOND)}
    queues = [({"a": 4, "b": 1}, 4.0), ({"b": 1}, 0.5)]
    assert eta(queues, durations, arrivals=0, drained=0) == Eta("range", 8 * SECOND, 8 * SECOND)


@pytest.mark.parametrize(
    ("partitions", "arrivals", "drained", "text"),
    [
        ([], 0.0, 0.0, "none"),
        ([({"a": 1}, 0)], 0.0, 1.0, "cannot start"),
        ([({"a": 1}, 1)], 2.0, 1.0, "not catching up"),
        ([({"b": 1}, 1)], 0.0, 1.0, "unknown"),
        ([({"a": 1}, 1)], 0.0, 1.0, "1.0 s to 2.0 s"),
    ],
)
def test_eta_in_words(
    partitions: list[tuple[dict[str, int], float]], arrivals: float, drained: float, text: str
) -> None:
    assert eta(partitions, {"a": (SECOND, 2 * SECOND)}, arrivals=arrivals, drained=drained).text() == text


def test_the_retention_clock_runs_against_the_oldest_waiting_record() -> None:
    assert retention_left(NOW - 2 * MINUTE, 5 * MINUTE, NOW) == 3 * MINUTE
    assert retention_left(None, 5 * MINUTE, NOW) is None
    assert retention_left(NOW, -1, NOW) is None


def test_of_all_partitions_the_first_to_lose_a_waiting_record_tells_the_time() -> None:
    kept = {"retention": 10 * MINUTE}
    facts = group(behind(1, 4 * MINUTE, **kept), behind(1, 7 * MINUTE, partition=1, **kept), part(**kept))
    clock = retention_clock(facts, NOW)
    assert clock is not None
    assert (clock[0], clock[1].partition) == (3 * MINUTE, 1)
    assert retention_clock(group(behind(1, MINUTE)), NOW) is None


def test_a_trend_is_known_only_as_far_back_as_was_looked() -> None:
    facts = group(behind(9, SECOND), waits=[(NOW - 5 * MINUTE, 4), (NOW - MINUTE, 8)])
    assert trend(facts, NOW, MINUTE) == 1
    assert trend(facts, NOW, 4 * MINUTE) == 5
    assert trend(facts, NOW, 6 * MINUTE) is None


def test_what_is_hot_is_named_by_its_key_or_its_run() -> None:
    hot = Hot(topic="t", partition=3, waiting=8, of=10, run_id="r", of_run=8)
    assert hot.text() == "8 of 10 wait on t-3, 8 of them of run r"
    assert "with key k" in msgspec.structs.replace(hot, key="k", keyed=7).text()
    assert msgspec.structs.replace(hot, of_run=2).text() == "8 of 10 wait on t-3"


def test_durations_read_like_a_clock() -> None:
    spoken = [words(s * SECOND) for s in (0, 59, 61, 3600, 90_000)]
    assert spoken == ["0.0 s", "59 s", "1 m 01 s", "1 h 00 m", "1 d 1 h"]
    assert words(None) == "unknown"
    assert words(-2 * SECOND) == "-2.0 s"
