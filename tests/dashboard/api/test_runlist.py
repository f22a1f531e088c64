"""Lists of runs: newest first, paged by keyset, filtered by a query that says what it does not understand."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.api.problems import Problem
from dashboard.api.runlist import figures, filtered, run_page, usual
from dashboard.models import Run
from tests.dashboard.cast import ask
from tests.dashboard.scenes import MINUTE, NOW, run

pytestmark = pytest.mark.django_db


def many(count: int) -> None:
    Run.objects.bulk_create(
        Run(run_id=f"r{number:05d}", first_at=NOW + number, state="working", total=1) for number in range(count)
    )


def test_runs_come_newest_first_and_every_one_once() -> None:
    many(7)
    seen, cursor = [], None
    while True:
        page = run_page("", cursor, 3, NOW)
        seen += [row["run_id"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"r{number:05d}" for number in reversed(range(7))]


def test_runs_that_began_in_the_same_instant_are_all_shown() -> None:
    for number in range(4):
        run(f"r{number}")
    first = run_page("", None, 2, NOW)
    second = run_page("", first["next"], 2, NOW)
    assert sorted(row["run_id"] for page in (first, second) for row in page["items"]) == ["r0", "r1", "r2", "r3"]


def test_a_page_costs_the_same_queries_with_many_runs() -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run_page("", None, 50, NOW)
        return len(queries)

    many(5)
    few = cost()
    Run.objects.all().delete()
    many(2_000)
    assert cost() == few == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state:live", {"a"}),
        ("state:failed,canceled", {"b", "c"}),
        ("state:ended", {"b", "c", "d"}),
        ("workflow:refunds", {"d"}),
        ("run:c", {"c"}),
        ("inc-1", {"a", "b", "c"}),
        ("state:failed inc-1", {"b"}),
    ],
)
def test_a_query_filters(query: str, expected: set[str]) -> None:
    run("a")
    run("b", state="failed")
    run("c", state="canceled")
    run("d", state="completed", workflow="refunds", name="batch")
    assert set(filtered(query, NOW).values_list("run_id", flat=True)) == expected


@pytest.mark.parametrize(("query", "at"), [("state:tired", 6), ("abc colour:red", 4)])
def test_a_word_that_is_not_understood_is_pointed_at(query: str, at: int) -> None:
    with pytest.raises(Problem) as refused:
        filtered(query, NOW)
    assert (refused.value.status, refused.value.members["at"]) == (400, at)


def test_a_run_that_waits_for_a_person_names_what_is_asked() -> None:
    run("run-1", counts={"input_required": 1})
    ask("ask-1", title="Pay 12 EUR")
    row = run_page("", None, 5, NOW)["items"][0]
    assert row["hold"]["more"] == "Pay 12 EUR"
    assert row["hold"]["url"] == "/approvals/ask-1/"


def test_the_headline_counts_live_runs_and_those_that_failed_today() -> None:
    run("a")
    run("b", state="failed", ended_at=NOW + MINUTE)
    run("c", state="failed", ended_at=NOW - MINUTE)
    assert figures(NOW) == {"live": 1, "failed": 1}


def test_the_usual_time_needs_a_few_runs_of_the_workflow() -> None:
    found = run("x")
    assert usual(found) is None
    for minutes in range(1, 11):
        run(f"r{minutes}", state="completed", ended_at=NOW + minutes * MINUTE)
    assert usual(found) == (2 * MINUTE, 10 * MINUTE)
