"""Who watches hears of every change, once, as whole rows; who does not costs nothing."""

import json

import pytest

from dashboard.ingest import changes
from dashboard.ingest.summary import RUN_COLUMNS, run_of
from dashboard.models import Run, Task
from tests.benchmarks.workload import Workload

NAMES = [name for name, _ in RUN_COLUMNS]


@pytest.fixture
def heard(monkeypatch):
    """What was published, about what; `watched` says what somebody watches."""

    class Heard(list):
        watched = frozenset({"board"})
        mentioned: list[str]

    heard = Heard()
    monkeypatch.setattr(changes.live, "wanted", lambda about: about in heard.watched)
    monkeypatch.setattr(
        changes.live,
        "publish",
        lambda about, rows, gone=(), *, whole=True: heard.append((about, rows, list(gone), whole)),
    )
    heard.mentioned = []
    monkeypatch.setattr(changes.live, "mention", heard.mentioned.append)
    return heard


def test_the_board_hears_of_runs_as_they_stand(tables, append, drain, heard):
    append(Workload(tasks=10, live_runs=2).records(150))
    assert drain()
    assert {about for about, *_ in heard} == {"board"}
    last = {row["id"]: row for _, rows, *_ in heard for row in rows}
    assert {row["kind"] for row in last.values()} == {"run"}
    assert sum(row["events"] for row in last.values()) == 150


def test_a_run_is_told_with_its_folds_and_tasks(tables, append, drain, heard):
    records = Workload(tasks=10, live_runs=1).records(60)
    run_id = next(value.decode() for name, value in records[0].headers if name == "ce_correlationid")
    heard.watched = {f"run:{run_id}"}
    append(records)
    assert drain()
    ((about, rows, gone, whole),) = heard
    kinds = [row["kind"] for row in rows]
    assert (about, gone, whole) == (f"run:{run_id}", [], True)
    assert (kinds.count("run"), kinds.count("task")) == (1, Task.objects.count())
    folds = [row for row in rows if row["kind"] == "fold"]
    assert sum(fold["total"] for fold in folds) == Task.objects.count() > 5


def test_what_nobody_watches_is_not_even_collected(tables, append, drain, heard, monkeypatch):
    heard.watched = set()
    monkeypatch.setattr(changes, "run_of", lambda values: pytest.fail("a row was made for nobody"))
    append(Workload(tasks=10, live_runs=2).records(100))
    assert drain()
    assert heard == []
    runs = {f"run:{run_id}" for run_id in Run.objects.values_list("run_id", flat=True)}
    assert set(heard.mentioned) == runs | {"board"}, "who began to watch just now asks the API"


def test_a_run_that_is_watched_since_its_changes_were_collected_is_not_told_as_whole(
    tables, append, drain, heard, monkeypatch
):
    collect = changes.Changes.note

    def note(self, written) -> None:
        collect(self, written)
        heard.watched |= {f"run:{run_id}" for run_id in written.runs}

    monkeypatch.setattr(changes.Changes, "note", note)
    append(Workload(tasks=10, live_runs=1).records(60))
    assert drain()
    assert [whole for about, *_, whole in heard if about != "board"][:1] == [False]


def test_too_many_tasks_are_told_as_a_part_of_the_truth(tables, append, drain, heard, monkeypatch):
    monkeypatch.setattr(changes, "MOST_TASKS", 3)
    records = Workload(tasks=10, live_runs=1).records(60)
    run_id = next(value.decode() for name, value in records[0].headers if name == "ce_correlationid")
    heard.watched = {f"run:{run_id}"}
    append(records)
    assert drain()
    assert [whole for *_, whole in heard] == [False]
    assert sum(row["kind"] == "task" for row in heard[0][1]) == 3


def test_a_run_as_written_is_the_run_as_read(tables, append, drain):
    append(Workload(tasks=10, live_runs=1).records(90))
    assert drain()
    for run in Run.objects.all():
        values = [getattr(run, name) for name in NAMES]
        values = [
            json.dumps(value) if kind == "jsonb" else value
            for value, (_, kind) in zip(values, RUN_COLUMNS, strict=True)
        ]
        again = run_of(values)
        assert all(getattr(again, name) == getattr(run, name) for name in NAMES)
