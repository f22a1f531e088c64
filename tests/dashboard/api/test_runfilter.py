"""The query line of runs: every key, and what a board of ten thousand runs costs."""

import pytest

from coordination.subjects import RUN_STATES, RUNS, WAITS
from coordination.tasks import Attempt
from dashboard.api.holds import run_sign
from dashboard.api.runfilter import _KEYS, STATES, run_condition
from dashboard.api.runlist import run_page
from dashboard.models import FoldPart, Run
from tests.dashboard.scenes import MINUTE, NOW, SECOND, fold, position, run, task

pytestmark = pytest.mark.django_db


def found(line: str, now: int = NOW + MINUTE) -> set[str]:
    seen, cursor = set(), None
    while True:
        page = run_page(line, cursor, 50, now)
        seen |= {row["run_id"] for row in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return seen


def test_every_key_and_every_state_has_a_meaning() -> None:
    assert set(RUNS.fields) | {""} == set(_KEYS) | set(WAITS)
    assert set(STATES) == set(RUN_STATES)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("workflow:inc*", {"a", "b"}),
        ("-workflow:refunds", {"a", "b"}),
        ("name:INC", {"a", "b"}),
        ('"410 gone"', {"b"}),
        ("error:HTTPError", {"b"}),
        ("agent:coder", {"a"}),
        ("-agent:coder", {"b", "c"}),
        ("agent:cod*,payer", {"a", "c"}),
        ("type:repair", {"a"}),
        ("task:t-a", {"a"}),
        ("caused-by:t-a", {"a"}),
        ("run:a,c", {"a", "c"}),
        ("topic:coord.run.*", {"a", "c"}),
        ("topic:task.commands agent:coder", {"a"}),
        ("topic:nowhere", set()),
        ("offset:4@100", {"a"}),
        ("age>10m", {"b"}),
        ("age<=10m", {"a", "c"}),
        ("took>5m", {"b"}),
        ("took<5m", {"a", "c"}),
        ("tasks>4", {"a", "b"}),
        ("tokens>=10k", {"c"}),
        ("cost>1.5", {"c"}),
        ("wait.broker>2s", {"a"}),
        ("wait.broker<2s", {"c"}),
        ("-wait.broker>2s", {"b", "c"}),
        ("ran>0s", {"c"}),
        ("state:failed error:410 took>1m -agent:coder", {"b"}),
    ],
)
def test_a_line_filters(line: str, expected: set[str]) -> None:
    run("a")
    cause = {"task_id": "x", "error_type": "HTTPError", "error_message": "410 gone"}
    run("b", state="failed", first_at=NOW - 20 * MINUTE, started_at=NOW - 20 * MINUTE, ended_at=NOW, first_cause=cause)
    run("c", workflow="refunds", name="batch", tokens=10_000, cost=2_000_000, counts={"working": 1})
    fold("f", {"working": 1}, "a")
    FoldPart.objects.filter(run_id="a").update(agent_group="coder", task_type="repair")
    fold("g", {"working": 1}, "c")
    FoldPart.objects.filter(run_id="c").update(agent_group="payer", task_type="pay")
    task("t-a", "a", state="requested", agent_group="coder")
    begun = Attempt(number=1, started_at=NOW + SECOND)
    task("t-c", "c", attempts=(begun,), attempt=1, started_at=NOW + SECOND, command_offset=7)
    position("coord.run.task.commands", 4, next_offset=200)
    assert found(line) == expected


def test_the_words_of_state_are_those_that_rows_show() -> None:
    cases = {
        "human": {"input_required": 1, "working": 2},
        "running": {"working": 1, "failed": 1, "requested": 3},
        "retrying": {"retry_wait": 1, "requested": 1},
        "waiting": {"requested": 2, "completed": 1},
        "failed": {"failed": 1, "completed": 4},
    }
    for name, counts in cases.items():
        row = run(name, counts=counts)
        assert run_sign(row)["sign"] == name
    over = run("over", counts={"completed": 3})
    empty = run("empty", counts={})
    assert (run_sign(over)["sign"], run_sign(empty)["sign"]) == ("running", "waiting")
    for name in cases:
        extra = {"running": {"over"}, "waiting": {"empty"}}.get(name, set())
        assert found(f"state:{name}") == {name} | extra


def test_runs_whose_tasks_are_looked_at_are_paged_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.runlist.LOOKED_AT", 3)
    for number in range(10):
        run(f"r{number}", first_at=NOW + number)
        task("t", f"r{number}", state="requested", requested_at=NOW if number in (1, 8) else NOW + MINUTE)
    assert found("wait.broker>30s", NOW + MINUTE) == {"r1", "r8"}


LINES = {
    "": "run_by_first",
    "age<1s": "run_by_first",
    "workflow:w3": "run_by_workflow",
    "agent:g7": "fold_by_group",
    "type:t7": "fold_by_type",
    "task:t-1": "task_by_id",
    "run:r00007": "sqlite_autoindex_dashboard_run",
}


def test_lines_are_answered_by_indexes() -> None:
    many = range(3_000)
    Run.objects.bulk_create(
        Run(run_id=f"r{number:05d}", first_at=NOW + number, state="working", workflow=f"w{number % 40}")
        for number in many
    )
    FoldPart.objects.bulk_create(
        FoldPart(run_id=f"r{number:05d}", fold_key="f", shard="s", revision=1, body="{}", agent_group=f"g{number % 50}")
        for number in many
    )
    for line, index in LINES.items():
        rows = Run.objects.filter(run_condition(line, NOW + 4_000).where).order_by("-first_at", "-run_id")[:51]
        plan = rows.explain()
        assert index in plan, f"{line!r}: {plan}"
        assert "SCAN dashboard_run\n" not in f"{plan}\n", f"{line!r}: {plan}"
