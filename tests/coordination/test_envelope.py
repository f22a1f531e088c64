"""Rules both ways: what is written is read as it was, and the CloudEvents SDK agrees."""

from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from coordination.envelope import Event, decode, encode, new_event
from coordination.errors import MalformedRecord
from coordination.events import CATALOGUE
from coordination.instants import micros, moment
from tests.coordination.examples import EXAMPLES
from tests.coordination.wire import NOON, PLAIN, appended, record

letters = st.characters(exclude_categories=["Cs", "Cc"])
ident = st.text(letters, min_size=1, max_size=40)
maybe = st.one_of(st.just(""), ident)
times = st.integers(0, 4_000_000_000_000_000)


@st.composite
def events(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from(sorted(CATALOGUE)))
    entry = CATALOGUE[name]
    time = draw(times)
    return Event(
        id=draw(ident),
        source=draw(ident),
        type=entry.type,
        name=name,
        known=True,
        time=time,
        at=time,
        subject=draw(ident),
        tenant=draw(ident),
        agent_id=draw(ident),
        agent_group=draw(maybe),
        run_id=draw(ident),
        causation_id=draw(maybe),
        task_id=draw(ident),
        parent_task_id=draw(maybe),
        attempt=draw(st.one_of(st.none(), st.integers(1, 2**31 - 1))),
        target_group=draw(maybe),
        fold_key=draw(maybe),
        idempotency_key=draw(maybe),
        fanout_id=draw(maybe),
        fanout_index=draw(st.one_of(st.none(), st.integers(0, 2**31 - 1))),
        fanout_count=draw(st.one_of(st.none(), st.integers(0, 2**31 - 1))),
        sequence=draw(st.one_of(st.none(), st.integers(0, 10**19 - 1).map(lambda number: f"{number:019d}"))),
        partition_key=draw(ident),
        expiry_at=draw(st.one_of(st.none(), times)),
        extensions=draw(st.dictionaries(st.sampled_from(["conversationid", "note", "authid"]), ident, max_size=3)),
        data=msgspec.convert(EXAMPLES[name], entry.schema),
        topic="coord." + entry.topic,
        partition=3,
        offset=42,
    )


@given(events())
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert decode(appended(encode(event), timestamp_type=0)) == event


def sdk_message(new: Any) -> kafka.KafkaMessage:
    return kafka.KafkaMessage(headers=dict(new.headers), key=new.key, value=new.value)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_cloudevents_sdk_reads_what_we_write(name: str) -> None:
    new = new_event(name, source="/demo/agents/a/1", time=NOON + 250, id="e-1", run_id="r", task_id="t", agent_id="a",
                    fanout_id="f", sequence=7, data=EXAMPLES[name])  # fmt: skip
    event = kafka.from_binary_event(sdk_message(new))
    assert (event.get_id(), event.get_source(), event.get_type()) == ("e-1", "/demo/agents/a/1", f"coordination.{name}")
    when = event.get_time()
    assert when is not None
    assert (micros(when), event.get_data()) == (NOON + 250, EXAMPLES[name])
    ours = decode(appended(new))
    assert event.get_subject() == ours.subject
    assert event.get_extension("partitionkey") == ours.partition_key
    assert event.get_extension("sequence") == ours.sequence


@given(
    st.dictionaries(
        st.sampled_from(["subject", "tenant", "taskid", "correlationid", "causationid", "partitionkey", "note"]),
        ident,
        max_size=6,
    ),
    times,
    st.booleans(),
)
def test_we_read_what_the_cloudevents_sdk_writes(extra: dict[str, str], time: int, whole: bool) -> None:
    attributes = {"id": "e-1", "source": "/sdk", "type": "coordination.task.progressed", "time": moment(time),
                  "datacontenttype": "application/json", **extra}  # fmt: skip
    write = kafka.to_structured_event if whole else kafka.to_binary_event
    message = write(CloudEvent(attributes, {"progress": 0.5, "step": "€"}))
    key = message.key.encode() if isinstance(message.key, str) else message.key
    event = decode(record(tuple(message.headers.items()), message.value, key=key, timestamp_type=0))
    assert (event.id, event.source, event.name, event.time) == ("e-1", "/sdk", "task.progressed", time)
    assert (event.data.progress, event.data.step) == (0.5, "€")
    named = {
        "subject": event.subject,
        "tenant": event.tenant,
        "taskid": event.task_id,
        "correlationid": event.run_id,
        "causationid": event.causation_id,
        "partitionkey": event.partition_key,
        "note": event.extensions.get("note", ""),
    }
    assert {name: named[name] for name in extra} == extra
    assert "key_mismatch" not in event.flags


def test_the_sdk_invents_what_we_refuse_to_invent() -> None:
    # Why the SDK is the oracle and not the reader: a missing specversion is an error here, a default there.
    bare = {name: text.encode() for name, text in PLAIN.items() if name not in ("specversion", "time")}
    message = kafka.KafkaMessage({f"ce_{name}": value for name, value in bare.items()}, b"t-1", b"{}")
    assert kafka.from_binary_event(message).get_specversion() == "1.0"
    with pytest.raises(MalformedRecord, match="specversion"):
        decode(record(tuple(message.headers.items())))
