"""Rules that hold for all imported events."""

import pytest

from coordination.eventlog import NewRecord
from coordination.importers.recording import Scribe, fitting, slug, time_of
from tests.coordination.recordings import read_back
from tests.coordination.wire import NOON


def test_every_event_says_whether_its_time_was_recorded_or_derived() -> None:
    scribe = Scribe("test", "r-1")
    said = [scribe.write("run.started", NOON, 1, derived=derived) for derived in (False, True)]
    events = read_back(said)
    assert [event.extensions["timebasis"] for event in events] == ["recorded", "derived"]
    assert [event.at for event in events] == [NOON, NOON]


def test_an_id_depends_on_origin_run_entry_and_phase() -> None:
    ids = {
        Scribe(origin, run).id_of(native, phase)
        for origin in ("a", "b")
        for run in ("r", "s")
        for native in (1, 2)
        for phase in ("x", "y")
    }
    assert len(ids) == 16


def test_a_foreign_event_stands_with_its_run() -> None:
    scribe = Scribe("test", "r-1", tenant="acme")
    [event] = read_back(
        [scribe.write_foreign("org.other.thing", NOON, 7, derived=False, number=7, causation="c", data={"a": 1})]
    )
    assert (event.known, event.run_id, event.tenant, event.data) == (False, "r-1", "acme", {"a": 1})
    assert (event.topic, event.partition_key, event.inferred) == ("coord.run.workflow.events", "r-1", ())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("worker@host", "worker-host"),
        ("Queue/Ä 7", "queue-7"),
        ("", "unknown"),
        ("***", "unknown"),
        ("x" * 99, "x" * 63),
    ],
)
def test_a_slug_is_what_the_envelope_allows_for_agents(text: str, found: str) -> None:
    assert slug(text) == found


def test_what_is_too_large_or_no_json_does_not_travel_inline() -> None:
    assert fitting({"a": [1]}) == {"a": [1]}
    assert fitting("x" * 9000) is None
    assert fitting(object()) is None


def test_a_record_without_a_time_is_due_at_once() -> None:
    assert time_of(NewRecord("t", None, None)) == 0
