"""Runs: the first start and the first end win, and the parts of all shards make one summary."""

import pytest

from coordination.projection import Rows, fold
from coordination.runs import (
    FailedTask,
    FoldPart,
    RunPart,
    RunSummary,
    Sample,
    inferred_state,
    merge_parts,
    tenant_rank,
)
from tests.coordination.stories import Story


def summary(story: Story, run: str = "run-1") -> RunSummary:
    rows = Rows()
    fold(rows, story.events())
    return merge_parts(part for part in rows.run_parts.values() if part.run_id == run)


def test_a_run_is_what_its_own_facts_say() -> None:
    story = Story()
    began = story.say("run.started", data={"name": "weekly report", "workflow": "report"}).at
    story.request("t")
    ended = story.say("run.completed", data={"output": {"pages": 3}}).at
    found = summary(story)
    assert (found.name, found.workflow, found.state, found.inferred) == ("weekly report", "report", "completed", False)
    assert (found.started_at, found.ended_at) == (began, ended)


def test_the_first_end_wins_and_the_second_is_an_anomaly() -> None:
    story = Story()
    story.say("run.started")
    story.say("run.failed", data={"error": {"type": "Boom"}})
    story.say("run.completed")
    rows = Rows()
    fold(rows, story.events())
    (part,) = rows.run_parts.values()
    assert part.state == "failed"
    assert part.error is not None
    assert part.error.type == "Boom"
    assert [(one.name, one.event) for one in part.anomalies] == [("ended_again", "run.completed")]


def test_a_second_start_is_an_anomaly_and_names_nothing() -> None:
    story = Story()
    story.say("run.started", data={"name": "first"})
    story.say("run.started", data={"name": "second"})
    found = summary(story)
    assert (found.name, found.anomaly_count) == ("first", 1)


def test_a_run_that_ended_without_a_start_has_ended() -> None:
    story = Story()
    story.say("run.canceled", data={"reason": "not needed"})
    found = summary(story)
    assert (found.state, found.error.message if found.error else "") == ("canceled", "not needed")


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({}, "unknown"),
        ({"requested": 3}, "requested"),
        ({"unknown": 1, "requested": 3}, "requested"),
        ({"requested": 1, "completed": 1}, "working"),
        ({"working": 1, "failed": 1}, "working"),
        ({"completed": 2}, "completed"),
        ({"completed": 2, "canceled": 1}, "completed"),
        ({"completed": 2, "failed": 1}, "failed"),
        ({"completed": 2, "expired": 1}, "failed"),
        ({"completed": 2, "rejected": 1}, "failed"),
        ({"canceled": 2}, "canceled"),
    ],
)
def test_a_silent_run_is_inferred_from_its_tasks(counts: dict[str, int], state: str) -> None:
    assert inferred_state(counts) == state


def test_what_is_inferred_says_so_and_takes_its_times_from_the_records() -> None:
    story = Story()
    first = story.request("t").at
    last = story.say("task.completed", task="t").at
    found = summary(story)
    assert (found.state, found.inferred, found.name) == ("completed", True, "run-1")
    assert (found.started_at, found.ended_at) == (first, last)


def test_an_open_silent_run_has_no_end() -> None:
    story = Story()
    story.say("task.started", task="t")
    assert summary(story).ended_at is None


def test_parts_of_all_shards_are_summed() -> None:
    story = Story()
    for number in range(30):
        story.request(f"t{number}")
        story.say("model.call.completed", task=f"t{number}", data={"model": "m", "tokens_in": 2, "cost": "0.5"})
    story.say("task.started", task="t7")
    story.say("com.example.thing")
    rows = Rows()
    fold(rows, story.events())
    found = merge_parts(rows.run_parts.values())
    assert len(rows.run_parts) > 5
    assert found.counts == {"requested": 29, "working": 1}
    assert (found.total, found.model_calls, found.tokens_in, found.cost) == (30, 30, 60, 15_000_000)
    assert (found.events, found.unknown_events) == (62, 1)


def test_facts_on_the_home_shard_win_over_facts_elsewhere() -> None:
    home = RunPart(run_id="r", shard="12-7", state="working", name="home", started_at=5, start_mark=("t", 7, 0))
    stray = RunPart(run_id="r", shard="12-3", state="completed", name="stray", ended_at=9, end_mark=("t", 3, 0))
    assert merge_parts([stray, home], "12-7").name == "home"
    assert merge_parts([home, stray]).state == "completed"


def failure(at: int, task: str, state: str = "failed", parent: str = "") -> FailedTask:
    return FailedTask(at, task, state, parent_task_id=parent, error_type="Timeout")


def test_the_first_cause_is_the_earliest_failure_of_all_shards_that_still_stands() -> None:
    parts = [
        RunPart(run_id="r", shard="12-1", counts={"failed": 1}, failures=(failure(3, "a", "completed"),)),
        RunPart(run_id="r", shard="12-2", counts={"failed": 1}, failures=(failure(7, "b"), failure(9, "c"))),
    ]
    found = merge_parts(parts)
    assert found.first_cause == failure(7, "b")
    assert found.failing == 2


def test_a_parent_that_failed_in_the_same_instant_is_not_the_cause() -> None:
    part = RunPart(run_id="r", shard="12-1", failures=(failure(5, "a"), failure(5, "z", parent="a")))
    found = merge_parts([part]).first_cause
    assert found is not None
    assert found.task_id == "z"


def test_failures_that_no_part_names_any_more_are_still_counted() -> None:
    part = RunPart(run_id="r", shard="12-1", counts={"failed": 1}, failures=(failure(5, "a", "completed"),))
    found = merge_parts([part])
    assert (found.failing, found.first_cause) == (1, None)


def test_a_run_belongs_to_the_tenant_that_somebody_named() -> None:
    assert min(["default", "", "bolt", "acme"], key=tenant_rank) == "acme"
    assert min(["default", ""], key=tenant_rank) == "default"


def test_a_fold_is_called_what_its_sample_is_called() -> None:
    sample = Sample("t", "write", "coder", title="write it")
    part = FoldPart(run_id="r", fold_key="aa", shard="12-1", sample=sample)
    assert (part.task_type, part.agent_group, part.title, part.stamped) == ("write", "coder", "write it", True)
    assert not FoldPart(run_id="r", fold_key="~aa", shard="12-1").stamped
    assert not FoldPart(run_id="r", fold_key="", shard="12-1").stamped
