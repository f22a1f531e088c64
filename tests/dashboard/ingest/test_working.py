"""The working set is bounded, loads what is missing once, and forgets all of it when told."""

from types import SimpleNamespace

import pytest

from coordination.projection import fold
from coordination.rows import Layout, Touched
from coordination.runs import RunPart
from coordination.tasks import Task
from dashboard.ingest import working
from dashboard.ingest.tables import TASKS
from dashboard.ingest.working import WorkingSet
from tests.coordination.stories import Story


class Store(SimpleNamespace):
    """A store that keeps what it was asked for, and has what it was given."""

    def __init__(self, *rows) -> None:
        super().__init__(rows=rows, asked=[], runs_asked=[])

    def load(self, table, keys, *, lock=False):
        self.asked.append((table.name, sorted(keys), lock))
        return [row for row in self.rows if isinstance(row, table.row) and table.key_of(row) in set(keys)]

    def load_parts(self, run_ids, besides=()):
        self.runs_asked.append(sorted(run_ids))
        return [row for row in self.rows if isinstance(row, RunPart) and row.run_id in run_ids]


@pytest.fixture
def events():
    story = Story()
    return [story.request("task-1"), story.say("task.started", task="task-1"), story.request("task-2")]


def test_rows_that_are_missing_are_asked_for_once(events):
    store = Store()
    rows = WorkingSet(store, Layout())
    rows.load_for(events, lock=False)
    assert ("dashboard_task", [("run-1", "task-1"), ("run-1", "task-2")], False) in store.asked
    assert store.runs_asked == [["run-1"]]
    touched = fold(rows.rows, events)
    rows.enter_parts(touched.run_parts)
    rows.used(touched)
    store.asked.clear()
    rows.load_for(events, lock=False)
    assert store.asked == []
    assert store.runs_asked == [["run-1"]]


def test_what_the_tables_have_is_used(events):
    known = Task(run_id="run-1", task_id="task-1", title="known")
    rows = WorkingSet(Store(known), Layout())
    rows.load_for(events, lock=False)
    assert rows.rows.tasks["run-1", "task-1"] is known


def test_with_a_lock_everything_is_read_again_in_key_order(events):
    store = Store()
    rows = WorkingSet(store, Layout())
    rows.load_for(events, lock=False)
    fold(rows.rows, events)
    store.asked.clear()
    rows.load_for(events, lock=True)
    name, keys, lock = store.asked[0]
    assert (name, keys, lock) == (TASKS.name, sorted(keys), True)
    assert rows.rows.tasks == {}


def test_what_was_not_touched_for_longest_goes_first(monkeypatch):
    monkeypatch.setattr(working, "MAX_TASKS", 3)
    rows = WorkingSet(Store(), Layout())
    for number in range(5):
        key = ("run", f"task-{number}")
        rows.rows.tasks[key] = Task(run_id="run", task_id=key[1])
        rows.used(Touched(tasks={key, ("run", "task-0")}))
    assert [key[1] for key in rows.rows.tasks] in (["task-3", "task-0", "task-4"], ["task-3", "task-4", "task-0"])


def test_a_run_that_goes_takes_its_parts_with_it(monkeypatch):
    monkeypatch.setattr(working, "MAX_RUNS", 0)
    rows = WorkingSet(Store(), Layout())
    rows.refresh([RunPart(run_id=f"run-{number}", shard="12-1") for number in range(5)])
    rows.used(Touched(run_parts={("run-4", "12-1")}))
    assert rows.runs == {}
    assert rows.rows.run_parts == {}


def test_all_parts_of_a_run_are_known_once_it_is_loaded():
    parts = [RunPart(run_id="run-1", shard=f"12-{number}") for number in range(3)]
    rows = WorkingSet(Store(*parts), Layout())
    rows.load_for([Story().request("task-1")], lock=False)
    assert sorted(part.shard for part in rows.parts_of("run-1")) == ["12-0", "12-1", "12-2"]
