"""Rules of the calls of the log's HTTP face that need no server to be seen."""

import inspect

import msgspec
import pytest

from coordination import logmessages as m
from coordination.errors import LogDenied, MemberFenced
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from dashboard.api import logcalls
from dashboard.api.logcalls import CALLS, Face
from dashboard.api.logscope import Caller

TOPIC = "coord.run.task.events"


class Scope:
    """Allows or refuses everything."""

    manages_topics = True

    def __init__(self, allows: bool) -> None:
        self.allows = allows

    def allows_topic(self, name: str, write: bool) -> bool:
        return self.allows


ANY, NONE = Caller(Scope(True)), Caller(Scope(False))


@pytest.fixture
async def face() -> Face:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 1)])
    return Face(log)


PARTITION = TopicPartition(TOPIC, 0)
POSITION = m.Position(TOPIC, 0, 0)
RECORDS = [NewRecord(TOPIC, b"k", b"v")]
TOUCHING = [
    ("append", m.Append(RECORDS)),
    ("fetch", m.Fetch([POSITION], 1, 0.0)),
    ("join", m.Join("agent.a", [TOPIC], "a", 10.0)),
    ("commit", m.Commit("member", [], RECORDS)),
    ("commit", m.Commit("member", [POSITION], [])),
    ("transaction-append", m.AppendAs("owner", RECORDS)),
    ("ends", m.AskEnds([PARTITION])),
    ("offsets-for-time", m.AskTime([PARTITION], 0)),
    ("set-commits", m.SetCommits("agent.a", [POSITION])),
    ("create-topics", m.CreateTopics([TopicSpec(TOPIC, 1)])),
    ("delete-topic", m.DeleteTopic(TOPIC)),
]


@pytest.mark.parametrize(("call", "question"), TOUCHING, ids=[name for name, _ in TOUCHING])
async def test_every_call_that_touches_a_topic_asks_for_the_right_to(
    face: Face, call: str, question: msgspec.Struct
) -> None:
    with pytest.raises(LogDenied):
        await CALLS[call].answer(face, NONE, question)


async def test_what_a_caller_may_not_see_is_left_out_of_lists(face: Face) -> None:
    await face.log.set_commits("agent.a", {PARTITION: 0})
    assert (await logcalls.topics(face, NONE, m.AskTopics())).topics == []
    assert (await logcalls.groups(face, NONE, m.AskGroups())).groups == []
    assert (await logcalls.commits(face, NONE, m.AskCommits("agent.a"))).positions == []
    assert len((await logcalls.topics(face, ANY, m.AskTopics())).topics) == 1
    assert len((await logcalls.groups(face, ANY, m.AskGroups())).groups) == 1
    assert (await logcalls.commits(face, ANY, m.AskCommits("agent.a"))).positions == [POSITION]


async def test_a_right_taken_away_ends_polling(face: Face) -> None:
    joined = await logcalls.join(face, ANY, m.Join("agent.a", [TOPIC], "a", 10.0))
    asked = m.Poll(joined.member_id, [], [], 1, 0.0)
    assert (await logcalls.poll(face, ANY, asked)).assignment == [PARTITION]
    with pytest.raises(LogDenied):
        await logcalls.poll(face, NONE, asked)
    await logcalls.leave(face, ANY, m.Leave(joined.member_id))


async def test_owners_of_transactional_ids_are_kept_up_to_a_limit(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logcalls, "MAX_OWNERS", 2)
    owners = [(await logcalls.transaction(face, ANY, m.TakeOver(f"t{n}"))).owner_id for n in range(2)]
    await logcalls.transaction_append(face, ANY, m.AppendAs(owners[0], RECORDS))
    await logcalls.transaction(face, ANY, m.TakeOver("t2"))
    await logcalls.transaction_append(face, ANY, m.AppendAs(owners[0], RECORDS))
    with pytest.raises(MemberFenced):
        await logcalls.transaction_append(face, ANY, m.AppendAs(owners[1], RECORDS))
    await logcalls.transaction_close(face, ANY, m.Release(owners[0]))
    with pytest.raises(MemberFenced):
        await logcalls.transaction_append(face, ANY, m.AppendAs(owners[0], RECORDS))


async def test_partitions_served_now_come_last_in_the_next_turn(face: Face) -> None:
    await face.log.create_topics([TopicSpec("two", 2)])
    await face.log.append([NewRecord("two", b"k", b"v", partition=number % 2) for number in range(6)])
    asked = m.Fetch([m.Position("two", 0, 0), m.Position("two", 1, 0)], 3, 0.0)
    fetched = await logcalls.fetch(face, ANY, asked)
    assert fetched.positions == [m.Position("two", 1, 0), m.Position("two", 0, 3)]


def test_every_question_of_the_messages_has_a_call_that_names_its_answer() -> None:
    for name, call in CALLS.items():
        assert (call.question.__doc__ or "").startswith(f"{name} → "), name
        answer = inspect.signature(call.answer).return_annotation
        assert (call.question.__doc__ or "").startswith(f"{name} → {answer.__name__}"), name
