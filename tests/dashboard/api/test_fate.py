"""The fate of a command in the group it is addressed to; unknown where nothing is known."""

from typing import Any

import pytest

from coordination.event import Event
from coordination.eventlog import TopicPartition
from dashboard.api.fate import fate
from dashboard.api.instants import iso
from dashboard.lagstore import pack_commits
from dashboard.models import GroupSnapshot
from tests.dashboard.scenes import NOW, failed_task, group, partition, task

pytestmark = pytest.mark.django_db


def command(offset: int = 20_120, **fields: Any) -> Event:
    given: dict[str, Any] = {
        "id": "e",
        "source": "s",
        "type": "coordination.task.requested",
        "name": "task.requested",
        "known": True,
        "time": NOW,
        "at": NOW,
        "run_id": "run-1",
        "task_id": "task-1",
        "target_group": "payer",
        "topic": "coord.run.task.commands",
        "partition": 3,
        "offset": offset,
    }
    return Event(**(given | fields))


def word(event: Event, *effects: Event, now: int = NOW) -> str:
    found: str = fate(event, now, effects)[0]["fate"]
    return found


def test_a_fact_is_addressed_to_nobody() -> None:
    assert fate(command(target_group=""), NOW) == []


def test_without_a_poll_the_fate_is_unknown() -> None:
    assert word(command()) == "unknown"


def test_behind_the_commit_it_waits_with_the_number_ahead() -> None:
    group("payer", partitions=[partition(3, waiting=9, commit=20_114)])
    assert fate(command(), NOW) == [
        {
            "group": "payer",
            "fate": "waiting",
            "evidence": "6 records ahead; the group's commit is 20114",
            "acts": True,
            "url": "/agents/payer/",
        }
    ]


def test_every_group_that_reads_the_topic_has_its_own_fate() -> None:
    group("payer", partitions=[partition(3, waiting=9, commit=20_114)])
    group("coder", partitions=[partition(3, waiting=0, commit=20_200)])
    group("late", partitions=[partition(4, waiting=0, commit=7)])
    group("elsewhere", partitions=[partition(3, waiting=0, commit=7) | {"topic": "coord.ops.events"}])
    found = [(row["group"], row["fate"], row["acts"]) for row in fate(command(), NOW)]
    assert found == [("payer", "waiting", True), ("coder", "passed", False), ("late", "no position", False)]


def test_an_old_poll_tells_nothing_and_says_how_old_it_is() -> None:
    group("payer", partitions=[partition(3, waiting=9, commit=20_114)])
    (row,) = fate(command(), NOW + 60_000_000)
    assert (row["fate"], row["evidence"]) == ("unknown", "the last poll is 1 m 00 s old")


def test_what_the_group_said_because_of_a_fact_is_its_result() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=20_200)])
    fact = command(name="task.resume.requested")
    assert word(fact) == "passed without result"
    effect = command(name="task.resumed", agent_group="payer", target_group="")
    assert word(fact, effect) == "done"


def test_it_was_passed_between_two_polls() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=20_200)])
    for second, commit in ((1, 20_000), (2, 20_100), (3, 20_130), (4, 20_200)):
        kept = pack_commits({TopicPartition("coord.run.task.commands", 3): commit})
        GroupSnapshot.objects.create(group="agent.payer", taken_at=NOW + second * 1_000_000, commits=kept)
    (row,) = fate(command(), NOW + 5_000_000)
    assert (row["passed_after"], row["passed_before"]) == (iso(NOW + 2_000_000), iso(NOW + 3_000_000))


def test_before_the_commit_without_a_start_it_was_passed_over() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=20_200)])
    assert word(command()) == "passed without result"


def test_a_group_that_never_committed_has_no_position() -> None:
    group("payer", partitions=[partition(3, waiting=None, commit=None)])
    assert word(command()) == "no position"


def test_a_stale_partition_tells_nothing() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=1, state="stale")])
    assert word(command()) == "unknown"


def test_a_record_the_log_deleted_unread_is_lost() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=100) | {"begin": 30_000}])
    assert word(command()) == "lost unread"


def test_the_task_itself_is_the_best_witness() -> None:
    where = {"command_topic": "coord.run.task.commands", "command_partition": 3, "command_offset": 20_120}
    task("task-1", started_at=NOW, agent_id="payer-2", **where)
    assert word(command()) == "running"
    failed_task("task-2", **where)
    assert word(command(task_id="task-2")) == "done"


def test_another_command_of_the_same_task_is_not_judged_by_it() -> None:
    failed_task("task-1", command_partition=3, command_offset=7)
    assert word(command()) == "unknown"


def test_a_commit_that_moved_back_reads_it_again_even_if_it_was_done() -> None:
    group("payer", partitions=[partition(3, waiting=0, commit=20_000) | {"reached": 20_200}])
    where = {"command_topic": "coord.run.task.commands", "command_partition": 3, "command_offset": 20_120}
    failed_task("task-1", **where)
    assert word(command()) == "will be read again"
