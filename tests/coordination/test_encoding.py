"""Rules of writing: type, topic, subject and key follow from the catalogue."""

import pytest

from coordination.decoding import decode
from coordination.encoding import encode, new_event
from coordination.errors import MalformedRecord, RecordTooLarge
from coordination.events import CATALOGUE, TYPE_PREFIX
from coordination.events.task import TaskRequested
from coordination.ids import new_id
from coordination.manifest import Manifest
from tests.coordination.examples import EXAMPLES
from tests.coordination.wire import NOON, TIME, appended

SOURCE = "/demo/agents/coder-3/a1"


def test_a_new_event_is_binary_with_all_its_attributes() -> None:
    new = new_event(
        "task.requested",
        source=SOURCE,
        time=NOON + 250,
        id="e-1",
        run_id="r-1",
        task_id="t-1",
        causation="e-0",
        data=TaskRequested(task_type="plan"),
        agent_id="coder-3",
        agent_group="coder",
        target_group="planner",
        fold_key="k",
        idempotency_key="once",
        parent_task_id="t-0",
        fanout_id="f",
        fanout_index=0,
        fanout_count=3,
        sequence=7,
        expiry_at=NOON,
        extensions={"conversationid": "c"},
    )
    assert (new.topic, new.key, new.value) == ("coord.run.task.commands", b"t-1", b'{"task_type":"plan"}')
    assert dict(new.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_source": SOURCE.encode(),
        "ce_type": b"coordination.task.requested",
        "ce_time": TIME.encode(),
        "ce_subject": b"task/t-1",
        "ce_tenant": b"default",
        "ce_agentid": b"coder-3",
        "ce_agentgroup": b"coder",
        "ce_correlationid": b"r-1",
        "ce_causationid": b"e-0",
        "ce_taskid": b"t-1",
        "ce_parenttaskid": b"t-0",
        "ce_targetgroup": b"planner",
        "ce_foldkey": b"k",
        "ce_idempotencykey": b"once",
        "ce_fanoutid": b"f",
        "ce_fanoutindex": b"0",
        "ce_fanoutcount": b"3",
        "ce_sequence": b"0000000000000000007",
        "ce_partitionkey": b"t-1",
        "ce_expirytime": b"2026-05-01T12:00:00.000000Z",
        "ce_conversationid": b"c",
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_type_of_the_catalogue_is_written_where_it_lives_and_read_back(name: str) -> None:
    entry = CATALOGUE[name]
    new = new_event(
        name,
        source=SOURCE,
        time=NOON,
        id=new_id(NOON),
        run_id="r-1",
        task_id="t-1",
        agent_id="a-1",
        fanout_id="f-1",
        data=EXAMPLES[name],
    )
    event = decode(appended(new))
    keys = {"taskid": "t-1", "correlationid": "r-1", "agentid": "a-1", "subject": event.subject}
    assert new.topic == Manifest().topic_for(name) == f"coord.{entry.topic}"
    assert (event.type, event.name, event.known) == (TYPE_PREFIX + name, name, True)
    assert event.subject.startswith(f"{entry.subject}/")
    assert event.partition_key == keys[entry.key]
    assert (new.key or b"").decode() == event.partition_key
    assert isinstance(event.data, entry.schema)
    assert (event.inferred, event.flags) == ((), ())


def test_reading_and_writing_again_changes_nothing() -> None:
    new = new_event("task.failed", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t",
                    data={"error": {"type": "T", "message": "m", "stack": "s"}}, attempt=2, agent_id="a")  # fmt: skip
    assert encode(decode(appended(new))) == new


def test_data_given_as_a_dict_are_checked_and_keep_fields_of_their_own() -> None:
    new = new_event("task.canceled", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t", data={"why": 1})
    assert new.value == b'{"why":1}'
    with pytest.raises(MalformedRecord, match="task_type"):
        new_event("task.requested", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t", data={})


@pytest.mark.parametrize(
    ("name", "attribute"),
    [("task.started", "taskid"), ("run.started", "correlationid"), ("agent.registered", "subject")],
)
def test_an_event_without_its_key_is_not_written(name: str, attribute: str) -> None:
    with pytest.raises(MalformedRecord) as caught:
        new_event(name, source=SOURCE, time=NOON, id="e")
    assert caught.value.attribute == attribute


def test_what_a_reader_would_refuse_is_not_written() -> None:
    for bad in ({"agent_id": "a\nb"}, {"tenant": "x" * 65}, {"fold_key": "\ud800"}):
        with pytest.raises(MalformedRecord):
            new_event("task.started", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t", **bad)  # type: ignore[arg-type]


def test_large_data_belong_behind_a_reference() -> None:
    def write(size: int) -> None:
        new_event(
            "task.completed", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t", data={"output": "x" * size}
        )

    write(48 * 1024 - 13)
    with pytest.raises(RecordTooLarge, match="dataref"):
        write(48 * 1024 - 12)


def test_too_many_attributes_are_not_written() -> None:
    many = {f"x{number}": "1" for number in range(40)}
    with pytest.raises(RecordTooLarge):
        new_event("task.started", source=SOURCE, time=NOON, id="e", run_id="r", task_id="t", extensions=many)


def test_a_dead_letter_of_an_unknown_group_still_has_a_subject() -> None:
    new = new_event(
        "record.deadlettered", source=SOURCE, time=NOON, id="e", data={"topic": "t", "partition": 0, "offset": 1}
    )
    assert new.key == b"group/unknown"


def test_another_namespace_and_another_topic_can_be_given() -> None:
    plain = {"source": SOURCE, "time": NOON, "id": "e", "run_id": "r", "task_id": "t"}
    assert new_event("task.started", manifest=Manifest("acme"), **plain).topic == "acme.run.task.events"  # type: ignore[arg-type]
    assert new_event("task.started", topic="elsewhere", **plain).topic == "elsewhere"  # type: ignore[arg-type]
