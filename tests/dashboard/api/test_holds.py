"""What holds a run: its end, its first cause, a person, a timer, a queue, or nothing."""

import pytest

from dashboard.api.holds import blocked_tasks, hold, run_sign
from dashboard.models import Run

CAUSE = {
    "task_id": "fetch/12",
    "title": "fetch traces",
    "agent_group": "prober",
    "error_type": "TimeoutError",
    "error_message": "took 30 s\nand more",
    "attempts": 3,
}


def run(state: str = "working", counts: dict[str, int] | None = None, **fields: object) -> Run:
    found = counts or {}
    return Run(run_id="run-1", state=state, counts=found, total=sum(found.values()), **fields)


@pytest.mark.parametrize(
    ("state", "counts", "expected"),
    [
        ("completed", {"failed": 1, "completed": 9}, "done"),
        ("failed", {"working": 1}, "failed"),
        ("canceled", {}, "canceled"),
        ("working", {"input_required": 1, "working": 5}, "human"),
        ("working", {"working": 1, "failed": 2}, "running"),
        ("working", {"retry_wait": 2, "requested": 4}, "retrying"),
        ("working", {"requested": 4}, "waiting"),
        ("working", {"failed": 1, "completed": 4}, "failed"),
        ("working", {}, "waiting"),
    ],
)
def test_the_sign_of_a_run(state: str, counts: dict[str, int], expected: str) -> None:
    assert run_sign(run(state, counts))["sign"] == expected


def test_a_failed_run_names_its_first_cause_with_the_first_line_of_its_error() -> None:
    found = hold(run("failed", {"failed": 1}, first_cause=CAUSE))
    assert (found["lead"], found["rest"], found["more"]) == (
        "fetch traces",
        "on prober, attempt 3",
        "TimeoutError: took 30 s",
    )
    assert found["cause"]
    assert found["url"] == "/runs/run-1/tasks/fetch%2F12/"


def test_a_failure_without_words_says_so() -> None:
    assert hold(run("failed", {"failed": 1}, first_cause={"task_id": "t"}))["more"] == "no error text was sent"


def test_a_run_that_waits_for_a_person_names_the_request() -> None:
    found = hold(run(counts={"input_required": 1}), {"title": "Pay 12 EUR", "url": "/approvals/a/", "since": "x"})
    assert (found["lead"], found["more"], found["url"]) == ("Waits for a person", "Pay 12 EUR", "/approvals/a/")


def test_several_waits_for_people_are_counted() -> None:
    found = hold(run(counts={"input_required": 2, "auth_required": 1, "working": 4}))
    assert (found["lead"], found["more"]) == ("3 tasks wait for a person", "4 others run meanwhile")


def test_a_run_that_goes_on_after_a_failure_says_both() -> None:
    found = hold(run(counts={"working": 2, "failed": 1}, first_cause=CAUSE))
    assert (found["lead"], found["rest"]) == ("Not held.", "2 running")
    assert found["more"] == "1 failed so far: TimeoutError: took 30 s"


def test_an_ended_run_gives_the_time_of_its_end() -> None:
    found = hold(run("completed", {"completed": 1}, ended_at=1_790_000_000_000_000, events=7))
    assert (found["lead"], found["at"], found["more"]) == ("Finished", "2026-09-21T14:13:20.000000Z", "7 records")


@pytest.mark.parametrize(
    ("counts", "lead"),
    [({"retry_wait": 1}, "Retry timer"), ({"requested": 3}, "Nothing runs."), ({}, "No tasks yet")],
)
def test_waiting_runs_say_for_what(counts: dict[str, int], lead: str) -> None:
    assert hold(run(counts=counts))["lead"] == lead


def test_tasks_are_blocked_only_when_the_run_ended_in_a_failure() -> None:
    counts = {"failed": 1, "requested": 214}
    assert blocked_tasks(run("failed", counts, first_cause=CAUSE, ended_at=1)) == 214
    assert blocked_tasks(run("working", counts, first_cause=CAUSE)) == 0
    assert blocked_tasks(run("completed", counts, first_cause=CAUSE, ended_at=1)) == 0
