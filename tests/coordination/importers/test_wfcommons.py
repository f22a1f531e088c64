"""Rules of WfCommons recordings, and every figure that is published about them."""

import json
from collections import Counter
from typing import Any

import pytest

from coordination.importers.recording import time_of
from coordination.importers.wfcommons import read
from coordination.instants import parse
from tests.coordination.importers.test_wfformat import SECOND, small
from tests.coordination.recordings import folded, named, read_back, recording

# tasks, edges, roots, leaves, widest fan-out, widest fan-in, depth, widest level, makespan in seconds, folds
FIGURES = {
    "soykb": (676, 1674, 25, 3, 20, 500, 11, 500, 54_029, 14),
    "fetchngs": (43, 28, 26, 20, 6, 9, 3, 26, 246, 10),
    "srasearch": (22, 30, 11, 1, 10, 10, 3, 11, 3_488, 4),
    "helloworld-forkjoin-10": (10, 16, 1, 1, 8, 8, 3, 8, 437, 3),
}
recordings = pytest.mark.parametrize("name", FIGURES)


def events_of(name: str) -> Any:
    return read_back(read(recording(f"wfcommons/{name}.json")).records)


def depths(parents: dict[str, tuple[str, ...]]) -> dict[str, int]:
    found: dict[str, int] = {}

    def depth(task: str) -> int:
        if task not in found:
            found[task] = 1 + max((depth(one) for one in parents[task]), default=0)
        return found[task]

    return {task: depth(task) for task in parents}


@recordings
def test_the_published_figures_come_out_of_the_events(name: str) -> None:
    events = events_of(name)
    parents = {event.task_id: event.data.depends_on for event in named(events, "task.requested")}
    children = Counter(one for inputs in parents.values() for one in inputs)
    levels = Counter(depths(parents).values())
    [started], [completed] = named(events, "run.started"), named(events, "run.completed")
    folds = {event.fold_key for event in named(events, "task.requested")}
    assert FIGURES[name] == (
        len(parents),
        sum(map(len, parents.values())),
        sum(1 for inputs in parents.values() if not inputs),
        sum(1 for task in parents if task not in children),
        max(children.values()),
        max(map(len, parents.values())),
        max(levels),
        max(levels.values()),
        (completed.at - started.at) // SECOND,
        len(folds),
    )


@recordings
def test_every_edge_of_the_file_is_an_edge_of_the_run(name: str) -> None:
    file = json.loads(recording(f"wfcommons/{name}.json"))
    recorded = {
        (parent, task["id"]) for task in file["workflow"]["specification"]["tasks"] for parent in task["parents"]
    }
    told = {
        (parent, event.task_id)
        for event in named(events_of(name), "task.requested")
        for parent in event.data.depends_on
    }
    assert told == recorded


@recordings
def test_times_are_derived_start_is_the_last_parents_end_and_end_is_start_plus_run_time(name: str) -> None:
    events = events_of(name)
    file = json.loads(recording(f"wfcommons/{name}.json"))
    runtimes = {task["id"]: task["runtimeInSeconds"] for task in file["workflow"]["execution"]["tasks"]}
    started = {event.task_id: event.at for event in named(events, "task.started")}
    ended = {event.task_id: event.at for event in named(events, "task.completed")}
    [run] = named(events, "run.started")
    for event in named(events, "task.requested"):
        ready = max((ended[one] for one in event.data.depends_on), default=run.at)
        assert started[event.task_id] == event.at == ready
        assert ended[event.task_id] - ready == round(runtimes[event.task_id] * SECOND)
    assert all(event.derived for event in events if event.task_id)
    assert not run.derived


@recordings
def test_every_event_is_whole_and_names_a_cause_of_this_run(name: str) -> None:
    events = events_of(name)
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert {event.causation_id for event in events} - {""} <= set(ids)
    assert {event.inferred for event in events} == {()}
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert Counter(event.source for event in events).keys() == {events[0].source}
    assert [event.sequence for event in events] == [f"{number:019d}" for number in range(len(events))]


@recordings
def test_the_rows_say_done_and_derived(name: str) -> None:
    rows = folded(events_of(name))
    assert {task.state for task in rows.tasks.values()} == {"completed"}
    assert all(task.derived_times and not task.anomalies for task in rows.tasks.values())
    totals = [part.total for part in rows.run_parts.values()]
    assert sum(totals) == FIGURES[name][0]


def test_clean_types_make_one_fold_of_five_hundred_alike_tasks() -> None:
    types = Counter(event.data.task_type for event in named(events_of("soykb"), "task.requested"))
    assert types["haplotype_caller"] == 500
    assert types["merge_gcvf"] == 1


def test_workers_are_the_machines_and_the_system_where_none_was_recorded() -> None:
    assert {event.agent_id for event in named(events_of("srasearch"), "task.started")} == {"worker-4"}
    assert {event.agent_id for event in named(events_of("fetchngs"), "task.started")} == {"nextflow"}


def test_importing_again_gives_the_same_records_and_another_run_id_gives_others() -> None:
    content = recording("wfcommons/srasearch.json")
    once, again, other = read(content), read(content), read(content, run_id="mine")
    assert list(once.records) == list(again.records)
    ids = {event.id for event in read_back(read(content).records)}
    assert ids.isdisjoint({event.id for event in read_back(other.records)})
    assert (once.run_id, other.run_id) == ("workflow-test-dbfc42d9", "mine")


def test_what_was_not_recorded_is_left_out() -> None:
    events = read_back(read(small([{"name": "a"}, {"name": "b", "parents": ["a", "gone"]}])).records)
    assert {event.at for event in events} == {events[0].at}
    assert [event.name for event in events if event.task_id == "a"] == [
        "task.requested",
        "task.started",
        "task.completed",
    ]
    [_, b] = named(events, "task.requested")
    assert b.data.depends_on == ("a", "gone")
    assert b.fold_key.startswith("~")


def test_a_task_that_takes_no_time_still_comes_after_what_it_needs() -> None:
    names = [f"t{number}" for number in range(30)]
    tasks = [{"name": name, "parents": names[number + 1 : number + 2]} for number, name in enumerate(names)]
    order = [event.task_id for event in read_back(read(small(tasks)).records) if event.name == "task.started"]
    assert order == list(reversed(names))


def test_five_hundred_thousand_characters_of_parents_fit_one_record() -> None:
    tasks: list[dict[str, Any]] = [{"name": f"a_task_with_a_long_name_{number:05d}"} for number in range(15_000)]
    tasks.append({"name": "join", "parents": [task["name"] for task in tasks]})
    recorded = read(small(tasks))
    [join] = [event for event in named(read_back(recorded.records), "task.requested") if event.task_id == "join"]
    assert len(join.data.depends_on) == 15_000


def test_time_of_reads_the_time_a_record_will_have() -> None:
    [first, *_] = read(small([{"name": "a"}])).records
    assert time_of(first) == parse("2026-05-01T12:00:00Z")
