"""XES 1.0: well-formed whatever agents wrote, typed, with the standard lifecycle."""

import xml.etree.ElementTree as ElementTree
from typing import Any

from coordination.xes import EXTENSIONS, LIFECYCLE, legal, xes
from tests.coordination.stories import Story

NAMESPACE = "{http://www.xes-standard.org/}"
TYPES = {"string", "date", "int", "float", "boolean", "id", "list", "container"}
STANDARD = {
    *("schedule", "assign", "withdraw", "reassign", "start", "suspend", "resume"),
    *("pi_abort", "ate_abort", "complete", "autoskip", "manualskip", "unknown"),
}


def parsed(story: Story, name: str = "a run") -> ElementTree.Element:
    return ElementTree.fromstring("".join(xes("run-1", name, story.events(), {"t": "research"})))


def told() -> Story:
    story = Story()
    story.request("t", group="coder", task_type="research")
    story.say("task.started", task="t", agent_id="coder-1", attempt=1)
    story.say("task.completed", task="t", agent_id="coder-1", attempt=1)
    return story


def attributes(event: ElementTree.Element) -> dict[str, Any]:
    return {child.get("key"): child.get("value") for child in event}


def test_a_run_is_one_trace_with_an_event_for_each_record() -> None:
    log = parsed(told())
    assert log.tag == f"{NAMESPACE}log"
    assert log.get("xes.version") == "1849-2016"
    (trace,) = log.findall(f"{NAMESPACE}trace")
    events = [attributes(event) for event in trace.findall(f"{NAMESPACE}event")]
    assert [event["lifecycle:transition"] for event in events] == ["schedule", "start", "complete"]
    assert {event["concept:name"] for event in events} == {"research"}
    assert {event["concept:instance"] for event in events} == {"t"}
    assert [event["time:timestamp"] for event in events] == sorted(event["time:timestamp"] for event in events)


def test_every_prefix_is_declared_and_every_attribute_has_a_type() -> None:
    log = parsed(told())
    declared = {prefix for _, prefix, _ in EXTENSIONS}
    assert {each.get("prefix") for each in log.findall(f"{NAMESPACE}extension")} == declared
    for element in log.iter():
        if element.get("key") is not None:
            assert element.tag.removeprefix(NAMESPACE) in TYPES
            assert element.get("value") is not None
    order = [child.tag.removeprefix(NAMESPACE) for child in log]
    kinds = ["extension", "global", "classifier", "string", "trace"]
    assert [kind for place, kind in enumerate(order) if place == 0 or order[place - 1] != kind] == kinds


def test_every_lifecycle_step_is_of_the_standard_model() -> None:
    assert set(LIFECYCLE.values()) <= STANDARD


def test_whatever_agents_wrote_the_document_is_well_formed() -> None:
    log = parsed(told(), name='<b>&"\x00\x0b\ud800\ufffe]]>')
    trace = log.find(f"{NAMESPACE}trace")
    assert trace is not None
    assert attributes(trace)["run:name"].startswith('<b>&"')


def test_characters_that_xml_forbids_are_replaced() -> None:
    assert legal("a\x00b\x1f\ufffe\U0001f600\n") == "a�b��\U0001f600\n"
