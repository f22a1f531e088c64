"""The query line of tasks: the tables answer as the pure meaning says, whatever happens to tasks."""

import msgspec
import pytest

from coordination.matching import ANSWERED, descendants, matches
from coordination.projection import Rows, fold
from coordination.query import parse
from coordination.subjects import TASKS
from coordination.tasks import Task as TaskRow
from dashboard.api.problems import Problem
from dashboard.api.tasklist import STATES, filtered, task_page
from dashboard.ingest.tables import TASKS as TASKS_TABLE
from dashboard.models import Task
from tests.coordination.everything import Everything, layout
from tests.dashboard.scenes import MINUTE, NOW, SECOND, dead_letter, failed_task, position, task

pytestmark = pytest.mark.django_db

LINES = (
    "state:failed",
    "-state:failed,human",
    "state:open",
    "state:ended -state:done",
    "task:a",
    "-task:*0*",
    "type:*",
    "-type:write",
    "agent:coder",
    "instance:agent-*",
    "parent:*",
    "fanout:f*",
    "topic:coord.run.task.*",
    "attempt>1",
    "-attempt<=1",
    "attempt:2",
    "age>1s",
    "age<3000w",
    "-age>1s",
    "took>1s",
    "-took>1s",
    "took<10s",
    "wait.broker>1ms",
    "-wait.broker>1ms",
    "wait.queue>0s",
    "wait.retry>0s",
    "wait.review>0s",
    "ran>1ms",
    "ran<=1ms",
    "tokens>0",
    "cost>0.0001",
    "error:a",
    "-error:a",
    "title:e",
    "e",
    "-e",
    "timeout",
    "state:failed attempt>1 e",
)


def found(line: str, now: int = NOW) -> set[str]:
    return {row.task_id for row in filtered("run-1", line, now=now).all()}


@pytest.fixture
def tasks() -> list[TaskRow]:
    """The tasks of a run in which everything happens, kept."""
    rows = Rows(layout())
    fold(rows, Everything(5, 120).write().events())
    names = [name for name, _ in TASKS_TABLE.all_columns]
    kept = [
        msgspec.structs.replace(row, run_id="run-1", task_id=f"{row.run_id}.{row.task_id}")
        for row in rows.tasks.values()
    ]
    for row in kept:
        values = (*TASKS_TABLE.values(row), row.revision, msgspec.json.encode(row).decode())
        Task.objects.create(**dict(zip(names, values, strict=True)))
    return kept


def test_tables_answer_as_the_pure_meaning_says(tasks: list[TaskRow]) -> None:
    assert len(tasks) > 60
    position("coord.run.task.commands")
    different = {}
    answered = 0
    for line in LINES:
        terms = parse(line, TASKS)
        expected = {row.task_id for row in tasks if all(matches(term, row, NOW) for term in terms)}
        answered += 0 < len(expected) < len(tasks)
        if found(line) != expected:
            different[line] = found(line) ^ expected
    assert different == {}
    assert answered > len(LINES) * 2 // 3, "most lines should tell tasks apart"


def test_every_key_is_answered_somewhere() -> None:
    beyond = {"offset", "caused-by", "blocked-by", "fingerprint"}
    assert set(TASKS.fields) | {""} == ANSWERED | beyond


def test_a_page_of_what_bodies_tell_stops_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.tasklist.LOOKED_AT", 7)
    for number in range(20):
        task(f"t{number:02}", tokens_in=number)
    seen, cursor, pages = [], None, 0
    while True:
        page = task_page(filtered("run-1", "tokens>11", now=NOW), cursor, 5, NOW)
        seen += [row["task_id"] for row in page["items"]]
        cursor, pages = page["next"], pages + 1
        if cursor is None:
            break
    assert seen == [f"t{number}" for number in range(12, 20)]
    assert pages >= 3


def test_dead_ones_are_those_whose_letter_is_open_or_whose_agent_said_so() -> None:
    for name in "abcd":
        failed_task(name, dead_lettered=name == "c")
    dead_letter(1, task_id="a")
    dead_letter(2, task_id="b", state="redriven")
    task("e")
    assert found("state:dead") == {"a", "c"}
    assert found("-state:dead") == {"b", "d", "e"}
    assert found("state:dead,running") == {"a", "c", "e"}


def test_what_a_task_or_an_event_led_to_is_found_by_its_id() -> None:
    task("root", request_id="e1")
    task("child", parent_task_id="root")
    task("next", depends_on=("child",))
    task("heard", causation_id="e9")
    failed_task("late", requested_at=NOW + MINUTE, causation_id="e1")
    task("other")
    assert found("caused-by:root") == {"child", "next", "late"}
    assert found("caused-by:e9") == {"heard"}
    assert found("-caused-by:root") == {"root", "heard", "other"}
    assert found("caused-by:nobody") == set()


def test_what_a_failure_blocks_is_found_by_its_id() -> None:
    failed_task("cause", ended_at=NOW + SECOND)
    task("next", state="requested", depends_on=("cause",))
    task("after", state="requested", depends_on=("next",))
    task("free")
    assert found("blocked-by:cause") == {"next", "after"}
    assert found("blocked-by:free") == set()
    assert found("state:blocked") == {"next", "after"}
    assert found("state:blocked,failed") == {"next", "after", "cause"}
    assert found("-state:blocked") == {"cause", "free"}


def test_many_that_hang_on_one_are_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.taskfilter.LISTED", 3)
    task("root")
    for number in range(6):
        task(f"t{number}", parent_task_id="root")
    assert found("caused-by:root") == {f"t{number}" for number in range(6)}
    assert found("-caused-by:root") == {"root"}


def test_a_run_that_is_too_large_for_causes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.taskfilter.SEARCHED", 1)
    task("a")
    task("b")
    with pytest.raises(Problem) as refused:
        found("state:open caused-by:a")
    assert refused.value.members["at"] == 11


def test_a_task_is_found_by_the_position_of_its_command() -> None:
    task("a", command_partition=3, command_offset=1042)
    task("b", command_partition=3, command_offset=1043)
    position("coord.run.task.commands", 3)
    assert found("offset:3@1042") == {"a"}
    assert found("offset:task.commands-3@1042") == {"a"}
    assert found("offset:task.events-3@1042") == set()
    assert found("-offset:3@1042") == {"b"}


def test_a_circle_of_causes_ends() -> None:
    rows = [TaskRow(run_id="r", task_id=name, depends_on=(need,)) for name, need in (("a", "b"), ("b", "a"))]
    assert descendants(rows, "a") == {"b"}


def test_states_are_all_there() -> None:
    assert len(set(STATES)) == len(STATES)
