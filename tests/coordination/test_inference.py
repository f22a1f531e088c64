"""Rules for incomplete envelopes: what can be had is had, and counted as inferred."""

import pytest

from coordination.decoding import Decoder, decode
from coordination.eventlog import CREATE_TIME
from coordination.manifest import Manifest
from tests.coordination.wire import NOON, record

NEEDED = {"specversion": b"1.0", "id": b"1", "source": b"/shop", "type": b"com.example.order.placed"}


def foreign(**more: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple((f"ce_{name}", value) for name, value in (NEEDED | more).items())


def test_a_foreign_event_with_the_four_required_attributes_is_welcome() -> None:
    event = decode(record(foreign(), b'{"a": 1}', key=None, topic="orders"))
    assert (event.tenant, event.run_id, event.task_id, event.agent_id) == ("default", "", "", "")
    assert (event.time, event.at, event.inferred) == (NOON, NOON, ("time", "tenant"))


def test_without_a_stamp_the_producers_record_time_stands_for_the_events() -> None:
    event = decode(record(foreign(), key=None, timestamp_type=CREATE_TIME))
    assert (event.time, event.at) == (NOON, NOON)
    assert decode(record(foreign(), key=None, timestamp=-1, timestamp_type=None)).time == 0


@pytest.mark.parametrize(
    ("subject", "task", "run", "agent"),
    [
        (b"task/t-9", "t-9", "", ""),
        (b"run/r-9", "", "r-9", ""),
        (b"agent/a-9", "", "", "a-9"),
        (b"order/9", "", "", ""),
    ],
)
def test_the_subject_names_task_run_or_agent(subject: bytes, task: str, run: str, agent: str) -> None:
    event = decode(record(foreign(subject=subject), key=None, topic="orders"))
    assert (event.task_id, event.run_id, event.agent_id) == (task, run, agent)


@pytest.mark.parametrize(
    ("topic", "task", "run", "agent"),
    [
        ("coord.run.task.events", "k-1", "", ""),
        ("coord.run.workflow.events", "", "k-1", ""),
        ("coord.ops.heartbeats", "", "", "k-1"),
        ("coord.ops.events", "", "", ""),
        ("orders", "", "", ""),
    ],
)
def test_the_key_names_what_its_topic_is_keyed_by(topic: str, task: str, run: str, agent: str) -> None:
    event = decode(record(foreign(subject=b"order/9"), key=b"k-1", topic=topic))
    assert (event.task_id, event.run_id, event.agent_id, event.partition_key) == (task, run, agent, "k-1")


def test_a_known_type_is_keyed_as_the_catalogue_says_on_any_topic() -> None:
    event = decode(record(foreign(type=b"coordination.task.started"), key=b"t-5", topic="elsewhere"))
    assert (event.task_id, event.subject) == ("t-5", "task/t-5")
    assert event.inferred == ("time", "subject", "tenant", "taskid", "partitionkey")


def test_the_agent_is_read_from_a_source_of_our_form() -> None:
    assert decode(record(foreign(source=b"/demo/agents/coder-3/x"), key=None)).agent_id == "coder-3"
    assert decode(record(foreign(source=b"/demo/agents/coder-3"), key=None)).agent_id == ""


def test_subject_before_key() -> None:
    event = decode(record(foreign(subject=b"task/t-9"), key=b"t-1"))
    assert (event.task_id, event.partition_key) == ("t-9", "t-1")


@pytest.mark.parametrize("key", [b"\xff", b"a\nb", b"x" * 300])
def test_a_key_that_could_be_no_attribute_infers_nothing(key: bytes) -> None:
    event = decode(record(foreign(), key=key))
    assert (event.task_id, event.partition_key) == ("", "")


def test_an_id_too_long_for_its_attribute_is_not_inferred() -> None:
    assert decode(record(foreign(), key=b"x" * 129)).task_id == ""


def test_what_does_not_apply_is_not_counted_as_inferred() -> None:
    beat = record(
        topic="coord.ops.heartbeats",
        key=b"coder-3",
        type="coordination.agent.heartbeat.recorded",
        subject="agent/coder-3",
        partitionkey="coder-3",
        correlationid=None,
        taskid=None,
    )
    assert decode(beat).inferred == ()


def test_another_namespace_knows_its_own_topics() -> None:
    reader = Decoder(Manifest("acme"))
    assert reader.decode(record(foreign(), key=b"k-1", topic="acme.run.task.events")).task_id == "k-1"
    assert reader.decode(record(foreign(), key=b"k-1", topic="coord.run.task.events")).task_id == ""
