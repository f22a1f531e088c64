"""Comparing two runs over the API: exact sums, the typical run, what cannot be compared."""

from typing import Any

import pytest

from coordination.tasks import Attempt
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task, run, task, viewer

pytestmark = pytest.mark.django_db


def ended(run_id: str, *, minutes: int, **fields: Any) -> None:
    """A finished run of one task that took so long, a minute of it before it began."""
    end = NOW + minutes * MINUTE
    run(run_id, state="completed", ended_at=end, counts={"completed": 1}, **fields)
    begun = NOW + MINUTE
    attempt = Attempt(number=1, started_at=begun, ended_at=end, outcome="completed")
    given = {"state": "completed", "started_at": begun, "ended_at": end, "attempt": 1, "attempts": (attempt,)}
    task(f"{run_id}-t", run_id, **given, fact_state="completed", title="look")


def compared(a: str, b: str) -> dict[str, Any]:
    answer = viewer().get("/api/v1/runs/compare", {"a": a, "b": b})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_changes_of_the_parts_sum_to_the_change() -> None:
    ended("old", minutes=3)
    ended("new", minutes=5)
    found = compared("old", "new")
    assert found["change_ms"] == 120_000
    assert sum(part["change_ms"] for part in found["parts"]) == found["change_ms"]
    assert found["headline"] == "2 m 00 s longer: most of it execution, +2 m 00 s."
    figure = found["figure"]["data"][0]
    assert figure["measure"] == ["absolute", "relative", "relative", "total"]


def test_tasks_are_matched_though_their_ids_differ() -> None:
    ended("old", minutes=3)
    ended("new", minutes=5)
    (step,) = compared("old", "new")["steps"]
    assert (step["tasks_a"], step["tasks_b"], step["status"]) == (1, 1, "slower")


def test_a_failure_of_this_run_alone_stands_in_the_picture() -> None:
    ended("old", minutes=3)
    run("new", state="failed", ended_at=NOW + 3 * MINUTE, counts={"failed": 1})
    failed_task("f", "new", title="look")
    found = compared("old", "new")
    assert [(one["status"], one["task_b"]) for one in found["tasks"]] == [("failed here", "f")]
    (node,) = found["graph"]["nodes"]
    assert (node["sign"]["sign"], [each["task_id"] for each in node["surfaced"]]) == ("failed", ["f"])


def test_the_typical_run_is_the_median_of_other_successes_of_the_workflow() -> None:
    for minutes in (2, 3, 9):
        ended(f"old-{minutes}", minutes=minutes)
    ended("elsewhere", minutes=50, workflow="other")
    ended("new", minutes=4)
    found = compared("median", "new")
    assert found["a"]["wall_ms"] == 180_000
    assert sorted(found["a"]["runs"]) == ["old-2", "old-3", "old-9"]
    assert found["change_ms"] == 60_000


def test_what_cannot_be_compared_is_told_in_words() -> None:
    ended("only", minutes=3)
    client = viewer()
    nothing = client.get("/api/v1/runs/compare", {"b": "only"})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing_typical")
    missing = client.get("/api/v1/runs/compare", {"a": "gone", "b": "only"})
    assert missing.status_code == 404
    run("large", total=1_000_000)
    large = client.get("/api/v1/runs/compare", {"a": "large", "b": "only"})
    assert "has 1,000,000 tasks" in large.json()["detail"]


def test_an_open_run_is_compared_up_to_now() -> None:
    ended("old", minutes=3)
    run("new")
    task("n", "new", title="look", started_at=NOW + SECOND)
    assert compared("old", "new")["b"]["wall_ms"] > 0
