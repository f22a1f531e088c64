"""The fate of a command in the group it is addressed to; unknown where nothing is known."""

from typing import Any

import pytest

from coordination.event import Event
from dashboard.api.fate import fate
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


def word(event: Event) -> str:
    return fate(event)[0]["fate"]


def test_a_fact_is_addressed_to_nobody() -> None:
    assert fate(command(target_group="")) == []


def test_without_a_poll_the_fate_is_unknown() -> None:
    assert word(command()) == "unknown"


def test_behind_the_commit_it_waits_with_the_number_ahead() -> None:
    group("payer", partitions=[partition(3, waiting=9, commit=20_114)])
    assert fate(command())[0] == {
        "group": "payer",
        "fate": "waiting",
        "evidence": "6 records ahead; the group's commit is 20114",
    }


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
