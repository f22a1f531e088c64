"""Candidate decisive steps: several, ranked, each with its reasons; never one verdict."""

from typing import Any

import pytest

from coordination.event import Event
from coordination.suspects import MOST, called, is_bad, suspects
from tests.coordination.stories import Story


def names(events: list[Event]) -> list[str]:
    return [one.event.id for one in suspects(events)]


def reasons(events: list[Event], id_: str) -> str:
    return " | ".join(next(one for one in suspects(events) if one.event.id == id_).reasons)


def foreign(story: Story, id_: str, name: str, data: dict[str, Any], cause: str = "") -> Event:
    return story.say(name, id=id_, data=data, causation_id=cause)


def test_what_led_to_the_end_is_found_back_over_causes_nearest_first() -> None:
    story = Story()
    events = [foreign(story, f"e{n}", "step", {"n": n}, f"e{n - 1}" if n else "") for n in range(6)]
    events.insert(3, foreign(story, "aside", "step", {}))
    assert names(events)[:4] == ["e5", "e4", "e3", "e2"]
    assert "aside" not in names(events)
    assert "2 steps back" in reasons(events, "e3")


def test_the_first_error_counts_more_than_the_last() -> None:
    story = Story()
    events = [
        foreign(story, "a", "planned", {}),
        foreign(story, "b", "tool.error", {"error": "no such file"}, "a"),
        foreign(story, "c", "planned", {}, "b"),
        foreign(story, "d", "run.aborted", {}, "c"),
    ]
    assert names(events)[0] == "b"
    assert "first step that reported an error; 1 more followed" in reasons(events, "b")


def test_the_same_call_again_and_again_is_a_loop() -> None:
    story = Story()
    ask = {"tool_call_id": "x", "tool_name": "search", "arguments": {"q": "cart", "n": 3}}
    turned = {"tool_call_id": "y", "tool_name": "search", "arguments": {"n": 3, "q": "cart"}}
    events = [story.say("tool.call.requested", task="t", id=f"c{n}", data=turned if n % 2 else ask) for n in range(5)]
    events.append(story.say("tool.call.requested", task="t", id="other", data=ask | {"arguments": {"q": "x"}}))
    events.append(story.say("tool.call.requested", task="u", id="elsewhere", data=ask))
    assert "search was called 5 times with the same arguments" in reasons(events, "c0")
    assert not any("times" in reasons(events, name) for name in names(events) if name != "c0")


def test_a_foreign_call_is_known_by_its_usual_fields() -> None:
    story = Story()
    assert called(foreign(story, "a", "llm.tool", {"tool": "grep", "input": {"a": 1}})) == ("grep", '{"a":1}')
    assert called(foreign(story, "b", "llm.tool.completed", {"tool": "grep", "input": {"a": 1}})) is None
    assert called(foreign(story, "c", "note", {"text": "x"})) is None


@pytest.mark.parametrize(("checked", "found"), [(False, True), (True, False)])
def test_a_result_that_nothing_checks_before_the_end_is_a_candidate(checked: bool, found: bool) -> None:
    story = Story()
    events = [
        story.request("write", task_type="write"),
        story.say("task.completed", task="write", id="w1"),
        *([story.request("check", task_type="verify answer")] if checked else []),
        story.say("run.completed", id="end"),
    ]
    assert any("no step that verifies" in reasons(events, name) for name in names(events)) is found


def test_status_fields_of_others_are_understood() -> None:
    story = Story()
    assert is_bad(foreign(story, "a", "span", {"status": "TIMED_OUT"}))
    assert is_bad(foreign(story, "b", "ActivityTaskFailed", {}))
    assert not is_bad(foreign(story, "c", "span", {"status": "ok"}))


def test_there_is_never_one_verdict_and_never_too_many() -> None:
    story = Story()
    events = [foreign(story, f"e{n}", "step", {}, f"e{n - 1}" if n else "") for n in range(200)]
    found = suspects(events)
    assert 1 < len(found) <= MOST
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert suspects([]) == []


def test_causes_that_turn_in_a_circle_end() -> None:
    story = Story()
    events = [foreign(story, "a", "step", {}, "b"), foreign(story, "b", "step", {}, "a")]
    assert set(names(events)) == {"a", "b"}
