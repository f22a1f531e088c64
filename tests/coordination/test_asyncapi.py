"""Rules of the AsyncAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from coordination.asyncapi import document
from coordination.encoding import new_event
from coordination.events import CATALOGUE
from coordination.manifest import TOPICS, Manifest
from tests.coordination.examples import EXAMPLES
from tests.coordination.wire import NOON

DOCUMENT = document("1.0.0")


def pointers(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from pointers(value)
    elif isinstance(node, list):
        for value in node:
            yield from pointers(value)


def resolve(pointer: str) -> Any:
    found: Any = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        found = found[part]
    return found


def validator(pointer: str) -> Draft7Validator:
    """A validator of one schema inside the document."""
    registry: Registry[Any] = Registry().with_resource("urn:doc", Resource.from_contents(DOCUMENT, DRAFT7))
    return Draft7Validator({"$ref": f"urn:doc{pointer}"}, registry=registry)


def test_it_has_the_parts_that_3_1_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert resolve(operation["channel"]["$ref"])


def test_every_reference_leads_somewhere() -> None:
    found = set(pointers(DOCUMENT))
    assert len(found) > 2 * len(CATALOGUE)
    for pointer in found:
        assert resolve(pointer)


def test_every_schema_is_a_valid_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_every_topic_is_a_channel_with_its_kafka_binding() -> None:
    assert set(DOCUMENT["channels"]) == set(TOPICS)
    commands = DOCUMENT["channels"]["run.task.commands"]
    assert commands["address"] == "coord.run.task.commands"
    assert commands["bindings"]["kafka"]["partitions"] == 12
    assert commands["bindings"]["kafka"]["topicConfiguration"] == {
        "cleanup.policy": ["delete"],
        "retention.ms": 7 * 86_400_000,
    }


def test_every_type_is_a_message_of_exactly_one_channel() -> None:
    homes = [name for channel in DOCUMENT["channels"].values() for name in channel.get("messages", ())]
    assert sorted(homes) == sorted(CATALOGUE)


def test_operations_are_what_agents_may_do() -> None:
    manifest = Manifest()
    for family in TOPICS:
        name = manifest.topic_named(family)
        assert (f"send.{family}" in DOCUMENT["operations"]) == manifest.agents_may_write(name)
        assert (f"receive.{family}" in DOCUMENT["operations"]) == manifest.agents_may_read(name)
    assert not any("review.approval.events" in name for name in DOCUMENT["operations"])


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_record_matches_its_own_message_and_no_other_of_its_channel(name: str) -> None:
    new = new_event(name, source="/d/agents/a/1", time=NOON, id="e", run_id="r", task_id="t", agent_id="a",
                    fanout_id="f", data=EXAMPLES[name])  # fmt: skip
    headers = {header: value.decode() for header, value in new.headers}
    channel = DOCUMENT["channels"][CATALOGUE[name].topic]
    matching = [
        one for one in channel["messages"] if validator(f"#/components/messages/{one}/headers").is_valid(headers)
    ]
    assert matching == [name]
    validator(f"#/components/messages/{name}/payload").validate(EXAMPLES[name])
