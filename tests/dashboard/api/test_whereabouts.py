"""Where a place is among a run's others: what a step by an event or by a failure leads to."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard import past
from tests.dashboard.recordings import Recording
from tests.dashboard.scenes import run, viewer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    past.forget()
    yield
    past.forget()


@pytest.fixture
def log() -> Recording:
    """Two tasks that fail, one that does not."""
    run(events=9)
    log = Recording()
    for name in ("a", "b", "c"):
        log.say("task.requested", {"task_type": "t"}, task_id=name, target_group="g")
        log.say("task.started", task_id=name, attempt=1)
        ending = ("task.completed", {}) if name == "b" else ("task.failed", {"error": {"type": "E", "message": "m"}})
        log.say(*ending, task_id=name, attempt=1)
    log.store()
    return log


def asked(at: str) -> dict[str, Any]:
    answer = viewer().get("/api/v1/runs/run-1", {"at": at})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_steps_lead_to_the_neighbours_and_to_the_nearest_failures(log: Recording) -> None:
    row = asked("coord.run.task.events-4@3")
    assert row["counts"] == {"failed": 1, "completed": 1}
    assert row["as_of"] == {
        "position": "coord.run.task.events-4@3",
        "time": "2026-09-21T14:13:25.000000Z",
        "count": 6,
        "events": 9,
        "first": "coord.run.task.commands-4@0",
        "previous": "coord.run.task.events-4@2",
        "next": "coord.run.task.commands-4@2",
        "last": "coord.run.task.events-4@5",
        "previous_failure": "coord.run.task.events-4@1",
        "next_failure": "coord.run.task.events-4@5",
    }


@pytest.mark.parametrize(("at", "ways"), [("commands-4@0", "previous"), ("events-4@5", "next")])
def test_at_either_end_there_is_nothing_beyond(log: Recording, at: str, ways: str) -> None:
    row = asked(f"coord.run.task.{at}")["as_of"]
    assert (row[ways], row[f"{ways}_failure"]) == (None, None)


@pytest.mark.parametrize("call", ["", "/tasks", "/graph", "/joins", "/delays", "/events", "/timeline", "/breakdown"])
def test_every_picture_refuses_what_is_no_position_in_words(log: Recording, call: str) -> None:
    answer = viewer().get(f"/api/v1/runs/run-1{call}", {"at": "nowhere"})
    assert answer.status_code == 400
    assert "write topic-partition@offset or a time" in json.loads(answer.content)["detail"]


def test_events_after_the_position_are_left_out(log: Recording) -> None:
    answer = viewer().get("/api/v1/runs/run-1/events", {"at": "coord.run.task.events-4@0"})
    assert [row["name"] for row in json.loads(answer.content)["items"]] == ["task.requested", "task.started"]
