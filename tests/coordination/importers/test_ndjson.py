"""Rules of files of our own events."""

import json
from typing import Any

import pytest

from coordination.importers.ndjson import read
from coordination.importers.recording import BadRecording
from tests.coordination.recordings import read_back
from tests.coordination.wire import PLAIN, TIME_MICROS

RUN = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/demo/agents/a/1",
    "type": "coordination.run.started",
    "time": PLAIN["time"],
    "correlationid": "run-1",
    "subject": "run/run-1",
    "partitionkey": "run-1",
    "data": {"name": "N"},
}
TASK = {**PLAIN, "id": "e-2", "causationid": "e-1"}


def lines(*events: Any) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events) + b"\n\n"


def test_events_keep_their_ids_and_times_so_that_a_second_import_gives_duplicates() -> None:
    found = read(lines(RUN, TASK))
    events = read_back(found.records)
    assert (found.run_id, found.events) == ("run-1", 2)
    assert [event.id for event in events] == ["e-1", "e-2"]
    assert [event.at for event in events] == [TIME_MICROS, TIME_MICROS]
    assert [event.topic for event in events] == ["coord.run.workflow.events", "coord.run.task.events"]
    assert list(read(lines(RUN, TASK)).records) == list(found.records)


def test_another_run_id_makes_another_run_with_its_causes_intact() -> None:
    found = read(lines(RUN, TASK), run_id="mine", tenant="acme")
    started, task = read_back(found.records)
    assert (started.run_id, task.run_id, started.partition_key, started.subject) == ("mine", "mine", "mine", "run/mine")
    assert started.id != "e-1"
    assert task.causation_id == started.id
    assert started.flags == task.flags == ()
    assert (started.tenant, task.tenant) == ("acme", "default")


def test_unknown_types_are_counted_and_kept() -> None:
    found = read(lines(RUN, {**TASK, "type": "com.example.x"}))
    assert dict(found.unknown) == {"com.example.x": 1}
    assert [event.known for event in read_back(found.records)] == [True, False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no events"),
        (b"\n \n", "no events"),
        (lines(RUN) + b"{", "Line 3"),
        (lines(RUN, {**TASK, "time": "soon"}), "Line 2.*time"),
        (lines({**TASK, "correlationid": None}), "--run-id"),
    ],
)
def test_a_bad_line_is_named(content: bytes, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        read(content)
