"""Agents of the minor before and of the minor after talk through the same topics; a break is refused in words."""

import asyncio
from typing import Any

import msgspec
import pytest

from coordination.compatibility import check_compatible
from coordination.encoding import new_event
from coordination.envelope import Decoder, Event
from coordination.eventlog import NewRecord, TopicPartition
from coordination.events import CATALOGUE
from coordination.events.task import TaskCompleted
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from coordination.projection import fold
from coordination.rows import Layout, Rows

NOON = 1_790_000_000_000_000
STATED = "urn:lineside:task.completed:1.{minor}"


class OlderCompleted(msgspec.Struct, omit_defaults=True):
    """task.completed before its last field was added."""

    output: Any = None


class NewerCompleted(TaskCompleted, frozen=True, kw_only=True):
    """task.completed with a field more, as the next minor may have it."""

    confidence: float | None = None
    sources: tuple[str, ...] = ()


def completed(number: int, data: Any, minor: int) -> NewRecord:
    made = new_event(
        "task.completed", source=f"/x/agents/a/{minor}", time=NOON + number, id=f"e-{number}", run_id="r",
        task_id=f"t-{number}", agent_id="a", data=msgspec.to_builtins(data),
    )  # fmt: skip
    return msgspec.structs.replace(
        made, headers=(*made.headers, ("ce_dataschema", STATED.format(minor=minor).encode()))
    )


def through_a_log(records: list[NewRecord]) -> list[Event]:
    """What a reader of this release gets of them."""

    async def read() -> list[Event]:
        log = MemoryLog()
        await log.create_topics(Manifest().specs())
        placed = await log.append(records)
        reader = await log.reader({TopicPartition(each.topic, each.partition): 0 for each in placed})
        found: list[Event] = []
        while len(found) < len(records):
            found += [Decoder(Manifest()).decode(record) for record in await reader.read(100, 1)]
        return found

    return asyncio.run(read())


def test_a_reader_of_today_understands_the_minor_before_and_the_minor_after() -> None:
    older = completed(0, OlderCompleted(output={"a": 1}), 0)
    newer = completed(1, NewerCompleted(output={"a": 1}, confidence=0.9, sources=("x",)), 9)
    events = through_a_log([older, newer])
    assert [(event.known, event.data.output, event.inferred, event.flags) for event in events] == [
        (True, {"a": 1}, (), ())
    ] * 2
    rows = Rows(Layout())
    fold(rows, events)
    assert {task.state for task in rows.tasks.values()} == {"completed"}


def test_agents_of_both_minors_understand_a_writer_of_today() -> None:
    (event,) = through_a_log([completed(0, TaskCompleted(output={"a": 1}), 1)])
    told = msgspec.json.encode(event.data)
    assert msgspec.json.decode(told, type=OlderCompleted).output == {"a": 1}
    newer = msgspec.json.decode(told, type=NewerCompleted)
    assert (newer.output, newer.confidence, newer.sources) == ({"a": 1}, None, ())


def test_the_gate_lets_both_pass() -> None:
    today = msgspec.json.schema(CATALOGUE["task.completed"].schema)
    assert check_compatible(today, msgspec.json.schema(NewerCompleted)) == []


class Demanding(TaskCompleted, frozen=True, kw_only=True):
    """A field more that must be there."""

    confidence: float


class Retyped(msgspec.Struct, frozen=True):
    """The result as text alone, although it was anything."""

    output: str = ""


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Demanding, "a reader of the new version cannot read the old one: data"),
        (Retyped, "data.output"),
    ],
)
def test_a_break_is_refused_with_words_that_say_where_and_why(broken: type, words: str) -> None:
    today = msgspec.json.schema(CATALOGUE["task.completed"].schema)
    found = check_compatible(today, msgspec.json.schema(broken))
    assert found
    assert words in " ".join(found)
