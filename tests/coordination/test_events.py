"""Rules of the vocabulary."""

import re
from typing import get_args

import msgspec
import pytest

from coordination.events import CATALOGUE, EventType
from coordination.events.approval import ApprovalRequested, Policy
from coordination.events.call import ModelCallCompleted
from coordination.events.catalogue import Key
from coordination.events.fanout import FanoutOpened
from coordination.manifest import TOPICS
from tests.coordination.examples import EXAMPLES

PROTOCOL = """
run.started run.completed run.failed run.canceled
task.requested task.resume.requested task.cancel.requested task.compensation.requested
task.accepted task.rejected task.assigned task.released task.started task.progressed task.paused task.resumed
task.attempt.failed task.checkpointed task.artifact.produced task.escalated task.completed task.failed
task.canceled task.cancel.declined task.expired task.invalidated task.reopened task.compensation.started
task.compensated task.compensation.failed
fanout.opened fanout.sealed fanin.satisfied fanin.failed fanin.expired fanin.branch.late
tool.call.requested tool.call.started tool.call.completed tool.call.failed tool.call.canceled tool.call.expired
tool.call.blocked model.call.completed
approval.requested decision.revoke.requested approval.claimed approval.vote.recorded approval.granted
approval.denied approval.deferred approval.escalated approval.expired approval.withdrawn decision.applied
decision.refused decision.revoked
agent.registered agent.role.assigned agent.role.released agent.deregistered agent.heartbeat.recorded
task.summary.updated run.summary.updated agent.summary.updated
record.redrive.requested replay.requested record.deadlettered record.redriven record.discarded replay.started
replay.completed consumer.lag.exceeded consumer.lag.recovered consumer.stalled audit.anchored
""".split()  # noqa: SIM905 - the protocol's list, to be compared by eye
SUBJECTS = {"task", "toolcall", "approval", "fanout", "run", "agent", "group"}
# Past participles that do not end in -ed.
IRREGULAR = {"late", "redriven", "withdrawn"}

entries = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)


def test_the_catalogue_is_the_protocols_list_and_no_name_stands_twice() -> None:
    assert sorted(CATALOGUE) == sorted(PROTOCOL)
    assert len(set(PROTOCOL)) == len(PROTOCOL)


@entries
def test_an_intent_lives_on_commands_and_a_fact_does_not(entry: EventType) -> None:
    assert (entry.kind == "intent") == entry.name.endswith(".requested")
    assert (entry.kind == "intent") == entry.topic.endswith(".commands")


@entries
def test_a_fact_is_named_by_what_has_happened(entry: EventType) -> None:
    last = entry.name.rpartition(".")[2]
    assert last.endswith("ed") or last in IRREGULAR


@entries
def test_names_are_lower_case_words_and_types_carry_the_prefix(entry: EventType) -> None:
    assert re.fullmatch(r"[a-z]+([.][a-z]+)+", entry.name)
    assert entry.type == f"coordination.{entry.name}"


@entries
def test_topic_key_and_subject_are_declared_ones(entry: EventType) -> None:
    topic = TOPICS[entry.topic]
    assert topic.key == entry.key
    assert entry.key in get_args(Key)
    assert entry.subject in SUBJECTS
    assert not topic.dead_letters


def test_what_people_decide_is_in_the_review_class_and_what_agents_answer_is_not() -> None:
    review = {name for name, entry in CATALOGUE.items() if TOPICS[entry.topic].access == "review"}
    assert review == {name for name in CATALOGUE if name.startswith("approval.")}
    for name in ("decision.applied", "decision.refused", "decision.revoked"):
        assert CATALOGUE[name].topic == "run.task.events"
    for name in ("task.resume.requested", "decision.revoke.requested"):
        assert CATALOGUE[name].topic == "run.decision.commands"


@entries
def test_the_example_fills_every_schema_and_survives_reading_and_writing(entry: EventType) -> None:
    value = msgspec.json.encode(EXAMPLES[entry.name])
    data = msgspec.json.decode(value, type=entry.schema)
    assert msgspec.json.decode(msgspec.json.encode(data), type=entry.schema) == data


@entries
def test_a_schema_is_an_open_object_and_its_struct_is_frozen(entry: EventType) -> None:
    open_object = {**EXAMPLES[entry.name], "field_of_tomorrow": {"x": 1}}
    data = msgspec.convert(open_object, entry.schema)
    with pytest.raises(AttributeError):
        setattr(data, entry.schema.__struct_fields__[0], None)


@entries
def test_data_keys_are_snake_case(entry: EventType) -> None:
    for field in msgspec.structs.fields(entry.schema):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.encode_name)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"join": "all"}, ("all", None)),
        ({"join": "any"}, ("any", None)),
        ({"join": "all_settled"}, ("all_settled", None)),
        ({"join": "quorum(12)"}, ("quorum", 12)),
        ({"join": "quorum", "quorum": 3}, ("quorum", 3)),
        ({"join": "quorum"}, ("quorum", 1)),
        ({}, ("all", None)),
    ],
)
def test_a_join_rule_is_read_as_word_and_number(given: dict[str, object], rule: tuple[str, int | None]) -> None:
    assert msgspec.convert(given, FanoutOpened).rule() == rule


@pytest.mark.parametrize("join", ["most", "quorum(0)", "quorum(x)", "quorum()", "ALL", ""])
def test_a_join_rule_nobody_knows_fails_the_schema(join: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"join": join}, FanoutOpened)


@pytest.mark.parametrize(("cost", "micros"), [("0", 0), ("0.0042", 4200), ("12", 12_000_000), ("0.0000005", 0)])
def test_cost_is_decimal_text_counted_in_millionths(cost: str, micros: int) -> None:
    assert msgspec.convert({"model": "m", "cost": cost}, ModelCallCompleted).cost_micros() == micros


@pytest.mark.parametrize("cost", [0.1, "-1", "1e3", "1,5", ""])
def test_cost_is_never_a_float_and_never_negative(cost: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"model": "m", "cost": cost}, ModelCallCompleted)


def test_a_request_with_only_what_is_needed_is_safe_by_default() -> None:
    least = {"approval_id": "a", "request_version": 1, "content_hash": "0" * 64, "action": {"name": "x"}}
    request = msgspec.convert(least, ApprovalRequested)
    assert (request.reversibility, request.on_expiry, request.policy) == ("no", "reject", Policy())


@pytest.mark.parametrize("missing", ["approval_id", "request_version", "content_hash", "action"])
def test_a_request_without_identity_or_content_fails_the_schema(missing: str) -> None:
    least = {
        name: EXAMPLES["approval.requested"][name]
        for name in ("approval_id", "request_version", "content_hash", "action")
    }
    del least[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(least, ApprovalRequested)
