"""Cascades: how many causes, what each blocks; judged once, and not for a list where it would take long."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.api.cascades import cascade_of, cascades
from dashboard.api.runlist import judged
from dashboard.models import Run
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task, run, task

pytestmark = pytest.mark.django_db


def scene(run_id: str) -> Run:
    """Two failures, the second with two that hang on it, one of them failed because of it; one failure redone."""
    cause = {"task_id": "a", "error_type": "E", "error_message": "m"}
    found = run(run_id, state="failed", ended_at=NOW + MINUTE, first_cause=cause, counts={"failed": 4, "requested": 1})
    failed_task("a", run_id, failed_at=NOW + SECOND)
    failed_task("b", run_id, failed_at=NOW + 2 * SECOND)
    failed_task("c", run_id, failed_at=NOW + 3 * SECOND, depends_on=("b",))
    task("d", run_id, state="requested", depends_on=("c",))
    failed_task("e", run_id, failed_at=NOW)
    task("f", run_id, state="completed", retry_of="e", requested_at=NOW + MINUTE)
    return found


def test_causes_are_counted_and_what_hangs_on_them() -> None:
    found = cascade_of(scene("r-count"))
    assert found is not None
    assert [cause.task_id for cause in found.causes] == ["a", "b"]
    assert found.words == "2 causes, 2 blocked"
    assert found.first is not None
    assert found.origin_of("d") == found.origin_of("b") == found.causes[1]
    assert found.origin_of("f") is None


def test_a_row_says_how_far_a_failure_reaches() -> None:
    (row,) = judged([scene("r-row")])
    assert row["outcome"] == "2 causes, 2 blocked"
    assert (row["causes"], row["blocked"], row["first_cause"]["blocked"]) == (2, 2, 0)
    assert row["hold"]["url"] == "/runs/r-row/tasks/a/"


def test_what_does_not_change_is_judged_once() -> None:
    found = scene("r-once")
    cascade_of(found)
    with CaptureQueriesContext(connection) as queries:
        cascade_of(found)
    assert len(queries) == 0
    found.revision += 1
    with CaptureQueriesContext(connection) as queries:
        cascade_of(found)
    assert len(queries) == 1


def test_a_large_run_that_still_changes_is_not_judged_for_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.cascades.LISTED", 2)
    found = scene("r-large")
    assert "r-large" in cascades([found])
    Run.objects.filter(pk="r-large").update(ended_at=None, revision=9)
    assert cascades(Run.objects.filter(pk="r-large")) == {}
