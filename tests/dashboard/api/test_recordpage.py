"""One record: envelope, data, cause and effects; a record that is no event says why."""

import pytest

from coordination.eventlog import APPEND_TIME, StoredRecord
from dashboard.api import recordpage
from dashboard.api.recordpage import pretty_value, record_page, record_row
from dashboard.events import record_at
from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import dead_letter, member, rejected, run

pytestmark = pytest.mark.django_db


def at(topic: str, offset: int) -> StoredRecord:
    record = record_at(topic, 4, offset)
    assert record is not None
    return record


def test_a_record_knows_its_cause_and_its_effects() -> None:
    tried_twice().store()
    found = record_page(at("coord.run.task.events", 2), member("ana", "all"))
    assert [row["id"] for row in found["causes"]] == ["f1"]
    assert [row["id"] for row in found["effects"]] == ["t1", "done"]
    assert found["complete"]


def test_in_a_huge_run_only_the_task_is_searched_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordpage, "SEARCHED", 3)
    run(events=4)
    tried_twice().store()
    found = record_page(at("coord.run.task.events", 2), member("ana", "all"))
    assert [row["id"] for row in found["effects"]] == ["t1", "done"]
    assert not found["complete"]


def test_the_data_are_for_those_who_may_see_payloads() -> None:
    tried_twice().store()
    found = record_page(at("coord.run.task.events", 3), member("ana", "all"))
    assert record_row(found)["data"] == {"output": {"answer": 42}}
    hidden = record_page(at("coord.run.task.events", 3), member("eve", "view_run"))
    assert record_row(hidden)["data"] is None
    assert (hidden["value"], hidden["headers"]) == ("", [])
    assert record_row(hidden)["attributes"]["type"] == "coordination.task.completed"


def broken() -> StoredRecord:
    return StoredRecord("coord.run.task.events", 7, 1, 0, APPEND_TIME, None, b"\xff", (("ce_id", b"1"),))


def test_a_record_that_is_no_event_gives_the_reason_it_was_kept_with() -> None:
    rejected(1, reason="no time")
    found = record_page(broken(), member("ana", "all"))
    assert (found["event"], found["reason"], found["effects"]) == (None, "no time", [])
    assert found["value"] == "ff"


def test_a_record_rejected_by_nobody_gives_the_decoders_reason() -> None:
    assert "missing" in record_page(broken(), member("ana", "all"))["reason"]


def test_a_dead_letter_is_told_with_its_failure() -> None:
    tried_twice().store()
    dead_letter(0, topic="coord.run.task.events", partition=4)
    letter = record_page(at("coord.run.task.events", 0), member("ana", "all"))["letter"]
    assert letter is not None
    assert letter.exception == "HTTPError"


def test_json_is_indented_and_other_text_left_as_it_is() -> None:
    assert pretty_value(StoredRecord("t", 0, 0, 0, None, None, b'{"a":1}')) == '{\n  "a": 1\n}'
    assert pretty_value(StoredRecord("t", 0, 0, 0, None, None, b"plain words")) == "plain words"
    assert pretty_value(StoredRecord("t", 0, 0, 0, None, None, None)) == ""
