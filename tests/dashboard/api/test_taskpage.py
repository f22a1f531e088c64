"""The parts of a task's page: time that sums, the same error elsewhere."""

import pytest

from coordination.anomalies import Anomaly
from coordination.tasks import Pause
from dashboard.api.taskpage import about, alike, marks, pauses, spans
from dashboard.models import Task
from tests.dashboard.cast import ask
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task, task

pytestmark = pytest.mark.django_db


def test_the_parts_of_its_time_sum_to_the_whole() -> None:
    found = spans(failed_task(), NOW)
    assert sum(part["width"] for part in found) == 2 * MINUTE + 30 * SECOND
    assert {part["phase"] for part in found} >= {"execution"}
    assert abs(sum(part["share"] for part in found) - 100) < 0.5


def test_nothing_is_known_of_a_task_without_times() -> None:
    assert spans(task(requested_at=None), NOW) == []


def test_a_wait_for_a_person_names_what_was_asked() -> None:
    ask("ask-1", title="Pay 12 EUR")
    row = task(pauses=(Pause(at=NOW, reason="approval", approval_id="ask-1", resumed_at=NOW + MINUTE),))
    assert [(each["title"], each["took"]) for each in pauses(row)] == [("Pay 12 EUR", "1 m 00 s")]


def test_the_same_error_elsewhere_is_counted() -> None:
    for number in range(3):
        failed_task(f"t{number}")
    found = alike(Task.objects.get(task_id="t0"))
    assert found is not None
    assert (found["count"], len(found["latest"])) == (2, 2)
    task("fine")
    assert alike(Task.objects.get(task_id="fine")) is None


def test_anomalies_lead_to_their_records() -> None:
    row = task(anomalies=(Anomaly("coord.run.task.events", 4, 7, "after_end", "task.completed", NOW),))
    assert (marks(row)[0]["name"], marks(row)[0]["url"]) == ("after end", "/records/coord.run.task.events/4/7/")


def test_an_open_task_ticks_and_an_ended_one_stands() -> None:
    assert about(task("a", started_at=NOW), NOW)["since"] == "2026-09-21T14:13:20.000000Z"
    ended = about(failed_task("b"), NOW)
    assert (ended["since"], ended["took"]) == (None, "1 m 30 s")
