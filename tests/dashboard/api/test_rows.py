"""Rows: the fields of the API, and all that a page needs to draw itself."""

import pytest

from coordination.anomalies import Anomaly
from coordination.tasks import Pause
from dashboard.api.foldlist import Fold
from dashboard.api.rows import fold_row, run_row, task_row
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task, run, task

pytestmark = pytest.mark.django_db


def test_a_task_row_holds_the_fields_of_the_api() -> None:
    row = task_row(failed_task(depends_on=("a", "b"), parent_task_id="p"))
    assert row["task_id"] == "task-1"
    assert row["depends_on"] == ["a", "b"]
    assert row["parent_task_id"] == "p"
    assert row["error"] == {"type": "HTTPError", "message": "410 gone\nthe endpoint was removed"}
    assert row["error_line"] == "HTTPError: 410 gone"
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["failed", "failed"]
    assert row["took"] == "1 m 30 s"
    assert row["since"] is None


def test_a_task_without_a_title_is_named_by_its_type() -> None:
    assert task_row(task(title=""))["name"] == "research"


def test_a_row_without_asked_reasons_leaves_them_as_they_are() -> None:
    assert "waiting" not in task_row(task())
    assert task_row(task("t2"), waiting={"reason": "queue", "text": "…"})["waiting"]["reason"] == "queue"


def test_an_ended_task_waits_for_nothing() -> None:
    assert task_row(failed_task())["waiting"] is None


def test_a_dead_letter_shows_on_a_failed_task_alone() -> None:
    assert task_row(failed_task("a"), dead=True)["sign"]["sign"] == "dead"
    assert task_row(task("b"), dead=True)["sign"]["sign"] == "running"
    assert task_row(failed_task("c", dead_lettered=True))["sign"]["sign"] == "dead"


def test_the_clock_of_a_paused_task_runs_since_the_pause() -> None:
    paused = task(state="input_required", started_at=NOW, pauses=(Pause(at=NOW + MINUTE, reason="approval"),))
    assert task_row(paused)["since"] == "2026-09-21T14:14:20.000000Z"


def test_failed_tasks_come_before_running_before_done() -> None:
    rows = [task_row(row) for row in (task("d", state="completed"), task("r"), failed_task("f"))]
    assert [row["id"] for row in sorted(rows, key=lambda row: row["order"])] == ["f", "r", "d"]


def test_anomalies_name_their_record() -> None:
    row = task_row(task(anomalies=(Anomaly("coord.run.task.events", 4, 7, "after_end", "task.completed", NOW),)))
    assert row["anomalies"] == [
        {"name": "after_end", "event": "task.completed", "position": "task.events-4@7"},
    ]


def test_a_run_row_counts_what_is_done_and_what_is_blocked() -> None:
    cause = {"task_id": "t", "error_type": "E", "error_message": "m", "attempts": 2, "agent_group": "g"}
    counts = {"completed": 31, "failed": 1, "requested": 214}
    row = run_row(run(state="failed", counts=counts, first_cause=cause, ended_at=NOW + MINUTE))
    assert row["tally"] == "31 / 246"
    assert row["bar"] == [("done", 31), ("failed", 1), ("blocked", 214)]
    assert row["outcome"] == "214 blocked", "how many causes there are, nobody has looked"
    assert row["first_cause"]["error"] == {"type": "E", "message": "m"}
    assert row["first_cause"]["blocked"] == 214
    assert row["took"] == "1 m 00 s"


def test_a_live_run_ticks_since_its_start() -> None:
    row = run_row(run(started_at=NOW + SECOND))
    assert (row["since"], row["took"]) == ("2026-09-21T14:13:21.000000Z", None)
    assert row["first_cause"] is None


def test_a_run_that_never_said_its_name_is_named_by_its_workflow_or_id() -> None:
    assert run_row(run("r-1", name=""))["name"] == "incident"
    assert run_row(run("r-2", name="", workflow=""))["name"] == "r-2"


def test_a_fold_row_takes_the_sign_of_its_worst_member() -> None:
    fold = Fold(
        fold_key="k/1",
        task_type="research",
        agent_group="researcher",
        counts={"completed": 59, "failed": 1},
        total=60,
        stamped=True,
        sample=None,
        first_at=NOW,
        fanouts=(),
        revision=7,
    )
    row = fold_row(fold, revision=fold.revision)
    assert (row["sign"]["sign"], row["tally"], row["revision"]) == ("failed", "59 / 60", 7)
    assert row["url"] == "?fold=k%2F1"
