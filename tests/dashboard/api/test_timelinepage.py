"""The timeline: rows by agent group, phases of tasks, columns of folds, cuts, path and lag; in few queries."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.runs import Sample
from coordination.tasks import Attempt, Pause
from dashboard.api.timelinepage import timeline_page
from dashboard.models import ConsumerGroup, GroupChange, GroupSnapshot, Run, Task
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task, fold, run, task

pytestmark = pytest.mark.django_db
BODY = '{"run_id":"run-1","task_id":"x","state":"completed"}'


def worked(task_id: str, begin: int, end: int | None, **fields: Any) -> None:
    """A task in a fold of its own, asked for a second before it began."""
    key = f"f-{task_id}"
    attempt = Attempt(number=1, started_at=NOW + begin * SECOND, ended_at=end and NOW + end * SECOND)
    given: dict[str, Any] = {
        "task_type": task_id,
        "title": task_id,
        "fold_key": key,
        "state": "completed" if end else "working",
        "requested_at": NOW + (begin - 1) * SECOND,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "attempt": 1,
        "attempts": (attempt,),
    } | fields
    row = task(task_id, **given)
    fold(key, {row.state: 1}, sample=Sample(task_id, task_id, row.agent_group), first_at=row.requested_at)


def shown(now: int = NOW + 100 * SECOND) -> dict[str, Any]:
    return timeline_page(Run.objects.get(), now)


def row_of(found: dict[str, Any], label: str) -> dict[str, Any]:
    return next(row for row in found["rows"] if row["label"] == label)


def test_the_phases_of_a_task_follow_one_another_from_its_request_on() -> None:
    run()
    worked("plan", 2, 10)
    spans = [(one["part"], one["from"], one["to"]) for one in row_of(shown(), "plan")["spans"]]
    assert spans == [("in_broker", 1000, 2000), ("execution", 2000, 10_000)]


def test_an_open_task_runs_until_now() -> None:
    run()
    worked("plan", 2, None)
    row = row_of(shown(NOW + 30 * SECOND), "plan")
    assert (row["spans"][-1]["to"], row["spans"][-1]["sign"], row["ended_ms"]) == (30_000, "running", None)


def test_attempts_share_a_row_and_earlier_ones_are_faint() -> None:
    run()
    failed_task("t1", fold_key="f")
    fold("f", {"failed": 1})
    row = shown(NOW + 5 * MINUTE)["rows"][0]
    tries = [(one["attempt"], one["earlier"], one["sign"]) for one in row["spans"] if one["part"] == "execution"]
    assert tries == [(1, True, "failed"), (2, False, "failed")]
    assert (row["mark"], row["note"]) == ("failed", "HTTPError: 410 gone")


def test_rows_of_one_agent_group_stand_together() -> None:
    run()
    for place, (name, group) in enumerate((("a", "one"), ("b", "two"), ("c", "one"))):
        worked(name, 2 + place, 10, agent_group=group)
    assert [row["label"] for row in shown()["rows"]] == ["a", "c", "b"]


def crowd(members: int) -> None:
    run(ended_at=NOW + 100 * SECOND, state="completed")
    fold("f", {"completed": members}, sample=Sample("t0", "search", "searcher"))
    Task.objects.bulk_create(
        Task(
            run_id="run-1",
            task_id=f"t{index}",
            state="completed",
            fold_key="f",
            shard="12-0",
            requested_at=NOW,
            started_at=NOW + (10 + index % 50) * SECOND,
            ended_at=NOW + (30 + index % 50) * SECOND,
            revision=1,
            body=BODY,
        )
        for index in range(members)
    )


def queries_for(members: int) -> int:
    crowd(members)
    with CaptureQueriesContext(connection) as queries:
        shown()
    return len(queries)


def test_a_timeline_costs_few_queries_for_ten_tasks() -> None:
    assert queries_for(10) <= 16


def test_a_timeline_costs_no_more_queries_for_two_thousand_tasks() -> None:
    assert queries_for(2_000) <= 16


def test_a_fold_shows_how_many_members_were_at_work() -> None:
    crowd(1_000)
    row = shown()["rows"][0]
    assert row["waited"] == [0, 10_000]
    assert len(row["columns"]) <= 150
    assert row["most"] == max(sum(n for _, n in segments) for _, _, segments in row["columns"])
    assert 380 <= row["most"] <= 440
    assert (row["columns"][0][0], row["slowest"]) == (pytest.approx(10_000, abs=100), "20 s")


def test_a_long_stretch_without_any_task_is_cut() -> None:
    run()
    worked("a", 2, 10)
    worked("b", 4_000, 4_010)
    assert shown(NOW + 4_010 * SECOND)["cuts"] == [[10_000, 3_999_000]]


def test_a_wait_for_a_person_is_cut_only_where_nothing_else_would_be_seen() -> None:
    run()
    pause = Pause(at=NOW + 10 * SECOND, reason="approval", attempt=1)
    worked("a", 2, None, state="input_required", pauses=(pause,))
    assert shown(NOW + 20 * SECOND)["cuts"] == []
    assert shown(NOW + 1_000 * SECOND)["cuts"] == [[10_000, 1_000_000]]


def test_the_critical_path_leads_through_the_rows() -> None:
    run(ended_at=NOW + 30 * SECOND, state="completed")
    worked("a", 2, 10)
    worked("b", 12, 30, depends_on=("a",))
    assert [stretch["row"] for stretch in shown()["path"]] == ["task:a", "task:b"]


def test_the_lag_of_the_runs_groups_lies_on_the_same_axis() -> None:
    run()
    worked("a", 2, 10, agent_group="coder")
    for group in ("coder", "other"):
        ConsumerGroup.objects.create(group=f"agent.{group}", agent_group=group, taken_at=NOW, body="{}")
        for step in range(3):
            GroupSnapshot.objects.create(group=f"agent.{group}", taken_at=NOW + 10 * step * SECOND, waiting=step)
    lanes = shown()["lanes"]
    assert lanes == [{"group": "coder", "points": [[0, 0], [10_000, 1], [20_000, 2]], "most": 2, "changes": []}]


def test_members_that_came_and_went_lie_on_the_same_axis() -> None:
    run()
    worked("a", 2, 10, agent_group="coder")
    ConsumerGroup.objects.create(group="agent.coder", agent_group="coder", taken_at=NOW, body="{}")
    GroupSnapshot.objects.create(group="agent.coder", taken_at=NOW, waiting=0)
    told = {"group": "agent.coder", "kind": "member"}
    for at, text in (
        (-60, "coder-0 left"),
        (6, "coder-1 left"),
        (6, "t-3 moved from coder-1 to coder-2"),
        (90, "late"),
    ):
        GroupChange.objects.create(**told, before_at=NOW + (at - 3) * SECOND, seen_at=NOW + at * SECOND, text=text)
    (lane,) = shown(NOW + 30 * SECOND)["lanes"]
    assert lane["changes"] == [[3_000, 6_000, "coder-1 left; t-3 moved from coder-1 to coder-2"]]


def test_a_run_without_tasks_has_no_rows() -> None:
    run()
    assert shown()["rows"] == []
