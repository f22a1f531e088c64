"""Writing: in order, together, fenced, and again when the log did not answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from coordination.agent.offsets import Offsets
from coordination.agent.writer import Writer
from coordination.errors import LogDenied, LogUnreachable, MemberFenced, RecordTooLarge
from coordination.eventlog import Appended, NewRecord, TopicPartition

P, Q = TopicPartition("c", 0), TopicPartition("c", 1)


class Member:
    """A membership that notes what is committed, and refuses what it is told to."""

    def __init__(self) -> None:
        self.committed: list[tuple[dict[TopicPartition, int], list[bytes | None]]] = []
        self.errors: list[Exception] = []
        self.lost: set[TopicPartition] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, offsets: Mapping[TopicPartition, int], records: Sequence[NewRecord] = ()) -> list[Appended]:
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.lost & offsets.keys():
            raise MemberFenced("lost")
        if any(record.value == b"huge" for record in records):
            raise RecordTooLarge("huge")
        self.committed.append((dict(offsets), [record.value for record in records]))
        return []


class Desk:
    """A writer, its member, its positions, and what it was told of fences."""

    def __init__(self) -> None:
        self.member = Member()
        self.offsets = {P: Offsets(0), Q: Offsets(5)}
        self.fenced: list[TopicPartition] = []
        self.writer = Writer(self.member, self.offsets, self.fenced.append)  # type: ignore[arg-type]
        self.running = asyncio.create_task(self.writer.run())


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    made.running.cancel()
    await asyncio.gather(made.running, return_exceptions=True)


def said(*values: bytes) -> list[NewRecord]:
    return [NewRecord("f", b"k", value) for value in values]


async def test_what_is_said_while_a_transaction_is_under_way_goes_into_the_next_one(desk: Desk) -> None:
    desk.member.gate.clear()
    first = desk.writer.put(P, said(b"1"))
    await asyncio.sleep(0)
    others = [desk.writer.put(P, said(b"2")), desk.writer.put(Q, said(b"3"))]
    await asyncio.sleep(0)
    desk.member.gate.set()
    await asyncio.gather(first, *others)
    assert desk.member.committed == [({P: 0}, [b"1"]), ({P: 0, Q: 5}, [b"2", b"3"])]


async def test_a_position_moves_with_the_records_that_finish_its_offset(desk: Desk) -> None:
    desk.offsets[P].receive(0)
    desk.offsets[P].receive(1)
    await desk.writer.put(P, said(b"one"), finish=1)
    await desk.writer.put(P, said(b"zero"), finish=0)
    assert [offsets for offsets, _ in desk.member.committed] == [{P: 0}, {P: 2}]
    assert desk.offsets[P].committed == 2


async def test_without_an_answer_the_same_records_are_sent_again(desk: Desk) -> None:
    desk.member.errors = [LogUnreachable("away")]
    await desk.writer.put(P, said(b"1", b"2"))
    assert desk.member.committed == [({P: 0}, [b"1", b"2"])]


async def test_a_lost_partition_refuses_its_own_words_only(desk: Desk) -> None:
    desk.member.gate.clear()
    desk.writer.put(Q, said(b"before"))
    await asyncio.sleep(0)
    lost, kept = desk.writer.put(P, said(b"lost")), desk.writer.put(Q, said(b"kept"))
    desk.member.lost = {P}
    del desk.offsets[P]
    desk.member.gate.set()
    await kept
    with pytest.raises(MemberFenced):
        await lost
    assert desk.fenced == []


async def test_who_is_refused_though_the_partition_seems_to_be_its_own_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordination.agent.writer.RETRY_AFTER", 0.001)
    desk.member.lost = {P}
    with pytest.raises(MemberFenced):
        await desk.writer.put(P, said(b"lost"))
    assert desk.fenced == [P]


async def test_a_refusal_that_passes_is_waited_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordination.agent.writer.RETRY_AFTER", 0.001)
    desk.member.errors = [MemberFenced("rebalancing")] * 3
    await desk.writer.put(P, said(b"1"))
    assert desk.fenced == []


async def test_a_record_too_large_fails_alone_and_finishes_nothing(desk: Desk) -> None:
    desk.offsets[P].receive(0)
    desk.member.gate.clear()
    desk.writer.put(Q, said(b"before"))
    await asyncio.sleep(0)
    huge, small = desk.writer.put(P, said(b"huge"), finish=0), desk.writer.put(Q, said(b"small"))
    desk.member.gate.set()
    await small
    with pytest.raises(RecordTooLarge):
        await huge
    assert desk.offsets[P].position == 0


async def test_what_waiting_cannot_help_ends_the_writer(desk: Desk) -> None:
    desk.member.errors = [LogDenied("no right")]
    desk.writer.put(P, said(b"1"))
    with pytest.raises(LogDenied):
        await desk.running


async def test_positions_are_committed_without_records_too(desk: Desk) -> None:
    desk.offsets[P].receive(0)
    desk.offsets[P].finish(0)
    desk.writer.commit_positions()
    await desk.writer.drained()
    desk.writer.commit_positions()
    await desk.writer.drained()
    assert desk.member.committed == [({P: 1}, [])]


async def test_a_closed_writer_refuses_what_was_still_waiting(desk: Desk) -> None:
    desk.member.gate.clear()
    desk.writer.put(P, said(b"1"))
    await asyncio.sleep(0)
    waiting = desk.writer.put(P, said(b"2"))
    desk.running.cancel()
    await asyncio.gather(desk.running, return_exceptions=True)
    desk.writer.close()
    with pytest.raises(MemberFenced):
        await waiting
