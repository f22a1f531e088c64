"""Rules of the versions of WfFormat."""

import json
from typing import Any

import pytest

from coordination.importers.recording import BadRecording
from coordination.importers.wfcommons import read
from coordination.instants import parse
from tests.coordination.recordings import named, read_back, recording

SECOND = 1_000_000


def small(tasks: list[dict[str, Any]], **workflow: Any) -> bytes:
    return json.dumps(
        {"name": "w", "createdAt": "2026-05-01T12:00:00", "workflow": {"tasks": tasks, **workflow}}
    ).encode()


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("soykb", "2020-04-07T15:14:32Z"),
        ("fetchngs", "2023-03-27T22:38:56-10:00"),
        ("srasearch", "2020-12-19T21:31:53Z"),
        ("helloworld-forkjoin-10", "2023-05-04T10:46:27Z"),
    ],
)
def test_all_date_formats_in_use_are_read(name: str, start: str) -> None:
    assert read_back(read(recording(f"wfcommons/{name}.json")).records)[0].at == parse(start)


def test_before_version_1_5_a_task_carries_its_run_time_itself() -> None:
    old = small(
        [
            {"name": "a_00001", "type": "compute", "runtimeInSeconds": 2.5, "children": ["b_00002"], "machine": "m 1"},
            {"name": "b_00002", "type": "compute", "runtime": 1, "parents": ["a_00001"]},
        ],
        executedAt="2026-05-01T12:00:00+00:00",
        makespanInSeconds=3,
    )
    events = read_back(read(old).records)
    [first, second] = named(events, "task.completed")
    assert (first.task_id, first.at - events[0].at, first.agent_id) == ("a_00001", 2_500_000, "m-1")
    assert (second.task_id, second.at - events[0].at) == ("b_00002", 3_500_000)
    # The graph explains more than the recorded makespan: then the graph's end is the run's, and derived.
    assert (events[-1].at - events[0].at, events[-1].derived) == (3_500_000, True)


def test_jobs_and_makespan_of_version_1_1_are_read_too() -> None:
    old = json.dumps(
        {
            "name": "w",
            "createdAt": "2026-05-01T12:00:00Z",
            "workflow": {"jobs": [{"name": "a", "runtime": 1}], "makespan": 5},
        }
    ).encode()
    events = read_back(read(old).records)
    assert (len(named(events, "task.requested")), events[-1].at - events[0].at) == (1, 5 * SECOND)


def test_children_alone_make_edges() -> None:
    events = read_back(read(small([{"name": "a", "children": ["b"]}, {"name": "b"}])).records)
    assert {event.task_id: event.data.depends_on for event in named(events, "task.requested")} == {"a": (), "b": ("a",)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "no WfCommons file"),
        (b"[" * 100_000, "no WfCommons file"),
        (b'{"workflow": 5}', "no WfCommons file"),
        (small([]), "no tasks"),
        (
            small([{"name": "a", "parents": ["b"]}, {"name": "b", "parents": ["c"]}, {"name": "c", "parents": ["a"]}]),
            "→",
        ),
        (small([{"name": "a", "parents": ["a"]}]), "a → a"),
        (small([{"name": "a"}, {"name": "a"}]), "Two tasks"),
        (small([{"parents": []}]), "Task 1"),
        (small([{"name": "a", "runtime": -1}]), "run time"),
        (small([{"name": "a", "runtime": 1e300}]), "run time"),
        (small([{"name": "a", "runtime": 60}], executedAt="9999-12-31T23:59:59Z"), "year 9999"),
        (small([{"name": "a", "runtime": "long"}]), "no WfCommons file"),
        (small([{"name": "a", "parents": ["p" * 900_000]}]), "parents"),
        (b'{"workflow": {"tasks": [{"name": "a"}], "executedAt": "soon"}}', "date"),
    ],
)
def test_a_file_that_cannot_be_is_told_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        read(content)


@pytest.mark.parametrize("makespan", [-5, 1e300])
def test_a_length_no_run_can_have_was_not_recorded(makespan: float) -> None:
    events = read_back(read(small([{"name": "a", "runtime": 1}], makespanInSeconds=makespan)).records)
    assert (events[-1].at - events[0].at, events[-1].derived) == (SECOND, True)


@pytest.mark.parametrize("executed", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_date_at_the_end_of_the_calendar_can_be_imported(executed: str) -> None:
    assert read_back(read(small([{"name": "a"}], executedAt=executed)).records)


def test_names_no_attribute_can_hold_get_an_id_that_can() -> None:
    events = read_back(read(small([{"name": "x" * 200}, {"name": "a\nb", "parents": ["x" * 200]}])).records)
    [first, second] = named(events, "task.requested")
    assert second.data.depends_on == (first.task_id,)
    assert first.data.title == "x" * 200
