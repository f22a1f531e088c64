"""Lists of tasks: failed first, paged by keyset over ranks, filtered by fold, fan-out and words."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.tasks import OPEN, TERMINAL
from dashboard.api.problems import Problem
from dashboard.api.tasklist import STATES, dead_among, filtered, task_page
from dashboard.models import Task
from tests.dashboard.scenes import NOW, dead_letter, failed_task, run, task

pytestmark = pytest.mark.django_db


def test_every_state_has_a_rank() -> None:
    assert set(STATES) == (OPEN | TERMINAL) - {""}


def test_pages_walk_through_all_ranks_and_show_every_task_once() -> None:
    for number in range(3):
        failed_task(f"f{number}")
        task(f"w{number}")
        task(f"d{number}", state="completed")
    seen, cursor = [], None
    while True:
        page = task_page(filtered("run-1", now=NOW), cursor, 2, NOW)
        seen += [row["task_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["f0", "f1", "f2", "w0", "w1", "w2", "d0", "d1", "d2"]


def test_a_task_list_costs_no_more_than_one_query_a_state() -> None:
    for number in range(60):
        task(f"t{number}")
    with CaptureQueriesContext(connection) as queries:
        task_page(filtered("run-1", now=NOW), None, 20, NOW)
    assert len(queries) <= len(STATES) + 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state:failed", {"f"}),
        ("state:running", {"a", "b"}),
        ("state:working,failed", {"a", "b", "f"}),
        ("agent:coder", {"b"}),
        ("type:research", {"a", "f"}),
        ("task:a", {"a"}),
        ('"of b"', {"b"}),
    ],
)
def test_a_query_filters(query: str, expected: set[str]) -> None:
    task("a")
    task("b", agent_group="coder", task_type="repair")
    failed_task("f")
    assert {row.task_id for row in filtered("run-1", query, now=NOW).all()} == expected


def test_members_of_a_fold_and_of_a_fan_out() -> None:
    task("a", fold_key="x")
    task("b", fold_key="x", fanout_id="fan")
    task("c", fold_key="")
    assert {row.task_id for row in filtered("run-1", fold="x", now=NOW).all()} == {"a", "b"}
    assert {row.task_id for row in filtered("run-1", fold="", now=NOW).all()} == {"c"}
    assert {row.task_id for row in filtered("run-1", fanout="fan", now=NOW).all()} == {"b"}


def test_a_word_that_is_not_understood_is_pointed_at() -> None:
    with pytest.raises(Problem) as refused:
        filtered("run-1", "colour:red", now=NOW)
    assert "agent" in refused.value.detail


def test_open_dead_letters_mark_failed_tasks() -> None:
    run()
    failed_task("a")
    failed_task("b")
    dead_letter(1, task_id="a")
    dead_letter(2, task_id="b", state="redriven")
    assert dead_among(list(Task.objects.all())) == {"a"}
    items = task_page(filtered("run-1", now=NOW), None, 5, NOW)["items"]
    signs = {row["task_id"]: row["sign"]["sign"] for row in items}
    assert signs == {"a": "dead", "b": "failed"}
