"""Rules of the handle: it is a log as the protocol says, waits for nothing too long, and leaves nothing open."""

import time
from collections.abc import Awaitable, Callable

import pytest

from coordination.errors import LogUnreachable, RecordTooLarge
from coordination.eventlog import MAX_RECORD_BYTES, EventLog, NewRecord, TopicPartition
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.coordination.kafkalog.blackhole import black_hole

CALLS: dict[str, Callable[[EventLog], Awaitable[object]]] = {
    "append": lambda log: log.append([NewRecord("t", b"k", b"v")]),
    "reader": lambda log: log.reader({TopicPartition("t", 0): 0}),
    "join": lambda log: log.join("g", ["t"], client_id="a"),
    "transaction": lambda log: log.transaction("x"),
    "ends": lambda log: log.ends([TopicPartition("t", 0)]),
    "offsets_for_time": lambda log: log.offsets_for_time([TopicPartition("t", 0)], 0),
    "commits": lambda log: log.commits("g"),
    "set_commits": lambda log: log.set_commits("g", {TopicPartition("t", 0): 0}),
    "groups": lambda log: log.groups(),
    "topics": lambda log: log.topics(),
    "delete_topic": lambda log: log.delete_topic("t"),
}


@pytest.mark.parametrize("call", CALLS)
async def test_no_call_waits_for_ever_for_a_broker_that_hangs(call: str) -> None:
    async with black_hole() as address:
        log = open_kafkalog(f"kafka://{address}?timeout=0.3")
        started = time.monotonic()
        with pytest.raises(LogUnreachable, match=address):
            await CALLS[call](log)
        await log.close()
        assert time.monotonic() - started < 3


async def test_what_needs_no_broker_asks_none() -> None:
    log = open_kafkalog("kafka://127.0.0.1:1")
    assert (log.kind, log.transactional) == ("kafka", True)
    assert await log.append([]) == []
    assert await log.ends([]) == {}
    assert await log.offsets_for_time([], 0) == {}
    await log.create_topics([])
    await log.set_commits("g", {})
    with pytest.raises(RecordTooLarge):
        await log.append([NewRecord("t", b"k", b"x" * MAX_RECORD_BYTES + b"y")])
    with pytest.raises(TypeError):
        await log.append([NewRecord("t", b"k", "text")])  # type: ignore[arg-type]
    await log.close()
    await log.close()


def test_it_is_an_event_log() -> None:
    log: EventLog = open_kafkalog("kafka://h")
    assert isinstance(log, KafkaLog)
