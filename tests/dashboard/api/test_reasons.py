"""Why tasks wait: one sentence each out of the tables, with a link, for as many queries as for one."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.tasks import Pause
from coordination.waiting import Link
from dashboard.api.reasons import link_of, reasons
from tests.dashboard.cast import ask
from tests.dashboard.scenes import MINUTE, NOW, failed_task, group, partition, task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def test_ended_tasks_wait_for_nothing() -> None:
    assert reasons([failed_task()], NOW) == {}


def test_a_task_behind_others_names_the_records_ahead() -> None:
    group("researcher", "working", partitions=[partition(4, waiting=12, commit=90)])
    found = reasons([task(state="requested")], NOW + MINUTE)["task-1"]
    assert found["reason"] == "queue"
    assert "10 records ahead" in found["text"]
    assert found["link"] == "/records/coord.run.task.commands/4/100/"


def test_a_task_whose_input_failed_is_blocked_by_it() -> None:
    failed_task("first")
    found = reasons([task("second", state="requested", depends_on=("first",))], NOW)["second"]
    assert (found["reason"], found["link"]) == ("blocked_by_failure", "/runs/run-1/tasks/first/")


def test_a_task_without_workers_says_so() -> None:
    group("researcher", "unassigned", members=0, partitions=[partition(4, waiting=1, commit=90)])
    assert reasons([task(state="requested")], NOW)["task-1"]["reason"] == "no_worker"


def test_a_task_that_waits_for_a_person_names_the_request() -> None:
    ask("ask-1", title="Pay 12 EUR")
    waiting = task("task-1", state="input_required", pauses=(Pause(at=NOW, reason="approval", approval_id="ask-1"),))
    found = reasons([waiting], NOW + MINUTE)["task-1"]
    assert (found["reason"], found["link"]) == ("needs_approval", "/approvals/ask-1/")
    assert found["text"].startswith("Waits 1 m 00 s for a person: Pay 12 EUR")


def test_it_names_the_votes_and_the_groups_that_are_missing_before_anybody_acted() -> None:
    ask("ask-1", policy={"rule": "all", "required_groups": ["finance", "comms"]})
    waiting = task("task-1", state="input_required", pauses=(Pause(at=NOW, reason="approval", approval_id="ask-1"),))
    text = reasons([waiting], NOW + MINUTE)["task-1"]["text"]
    assert "has 0 of 2 votes and needs one from finance, comms" in text


def test_a_page_of_tasks_costs_what_one_does() -> None:
    group("researcher", "working")
    tasks = [task(f"t{number}", state="requested", depends_on=(f"t{number - 1}",)) for number in range(40)]

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            reasons(tasks[:count], NOW)
        return len(queries)

    assert cost(40) == cost(1)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (None, None),
        (Link("task", "a/b"), "/runs/r/tasks/a%2Fb/"),
        (Link("group", "payer"), "/agents/payer/"),
        (Link("record", "t/4/7"), "/records/t/4/7/"),
        (Link("join", "f"), "/runs/r/"),
    ],
)
def test_links_lead_to_pages(link: Link | None, expected: str | None) -> None:
    assert link_of("r", link) == expected
