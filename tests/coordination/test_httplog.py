"""Rules of the log over HTTP beyond the contract: scopes, lost answers, restarts, sizes, servers that are none."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from coordination.errors import LogDenied, LogUnreachable, MemberFenced, RecordTooLarge
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.httplog import HttpLog, connection
from coordination.logmessages import MAX_ANSWER_BYTES, Fetch, Fetched, Poll, Polled, Position
from coordination.sqlitelog import SqliteLog
from tests.coordination.adapters import take, take_polled
from tests.coordination.logserver import LogServer

RUN, REVIEW, ASKS = "coord.run.task.events", "coord.review.approval.events", "coord.review.approval.commands"


@pytest.fixture
async def owner(log_server: LogServer) -> AsyncIterator[HttpLog]:
    """Holds the token that may do everything; the usual topics exist."""
    log = HttpLog(log_server.base_url, "everything")
    await log.create_topics([TopicSpec(name, 2) for name in (RUN, "coord.run.tool.events")])
    yield log
    await log.close()


@pytest.fixture
async def beside(log_server: LogServer, owner: HttpLog) -> AsyncIterator[SqliteLog]:
    """The same log, opened as the dashboard itself does; the review topics exist."""
    log = SqliteLog(log_server.file)
    await log.create_topics([TopicSpec(name, 1) for name in (REVIEW, ASKS, "dlq.coord.review")])
    yield log
    await log.close()


@pytest.fixture
async def agent(log_server: LogServer, beside: SqliteLog) -> AsyncIterator[HttpLog]:
    """May read coord.run.* and write coord.run.task.*."""
    log = HttpLog(log_server.base_url, "agent")
    yield log
    await log.close()


async def make_topic(log: HttpLog) -> str:
    name = f"http.{uuid4().hex[:10]}"
    await log.create_topics([TopicSpec(name, 1)])
    return name


async def test_an_unknown_token_is_denied(log_server: LogServer) -> None:
    log = HttpLog(log_server.base_url, "stolen")
    with pytest.raises(LogDenied):
        await log.topics()
    await log.close()


async def test_a_token_reads_and_writes_only_what_its_scope_holds(agent: HttpLog) -> None:
    await agent.append([NewRecord(RUN, b"k", b"mine")])
    with pytest.raises(LogDenied, match=r"write to topic coord\.run\.tool\.events") as refused:
        await agent.append([NewRecord(RUN, b"k", b"lost"), NewRecord("coord.run.tool.events", b"k", b"v")])
    assert refused.value.code == "topic_denied"
    with pytest.raises(LogDenied, match=r"read topic coord\.ops\.events"):
        await agent.ends([TopicPartition("coord.ops.events", 0)])
    with pytest.raises(LogDenied, match=r"read topic coord\.ops\.events"):
        await agent.join("agent.a", ["coord.ops.events"], client_id="a")
    assert set(await agent.topics()) == {RUN, "coord.run.tool.events"}


@pytest.mark.parametrize("topic", [REVIEW, ASKS, "dlq.coord.review"])
async def test_the_review_class_is_never_read_whatever_the_token_says(
    owner: HttpLog, beside: SqliteLog, topic: str
) -> None:
    partition = TopicPartition(topic, 0)
    await beside.set_commits("observer", {partition: 0})
    with pytest.raises(LogDenied):
        await (await owner.reader({partition: 0})).read(1, 0)
    with pytest.raises(LogDenied):
        await owner.join("agent.a", [topic], client_id="a")
    with pytest.raises(LogDenied):
        await owner.ends([partition])
    with pytest.raises(LogDenied):
        await owner.offsets_for_time([partition], 0)
    assert partition not in await owner.commits("observer")


async def test_asking_for_approval_is_all_that_may_be_written_to_the_review_class(
    owner: HttpLog, beside: SqliteLog
) -> None:
    await owner.append([NewRecord(ASKS, b"task", b"may I?")])
    for topic in (REVIEW, "dlq.coord.review"):
        with pytest.raises(LogDenied):
            await owner.append([NewRecord(topic, b"task", b"granted")])
        transaction = await owner.transaction("t")
        with pytest.raises(LogDenied):
            await transaction.append([NewRecord(topic, b"task", b"granted")])


async def test_groups_are_seen_as_far_as_their_topics_are(agent: HttpLog, beside: SqliteLog) -> None:
    await beside.set_commits("human.reviewers", {TopicPartition(REVIEW, 0): 0})
    member = await beside.join("agent.both", [RUN, REVIEW], client_id="a")
    await member.poll(1, 0.2)
    seen = {group.group: group for group in await agent.groups()}
    assert "human.reviewers" not in seen
    assert seen["agent.both"].members is not None
    assert {p.topic for p in seen["agent.both"].members[0].partitions} == {RUN}
    await member.close()


async def test_the_dashboards_own_groups_are_closed(agent: HttpLog) -> None:
    with pytest.raises(LogDenied, match="belongs to the dashboard"):
        await agent.set_commits("lineside.ingest", {TopicPartition(RUN, 0): 0})
    with pytest.raises(LogDenied, match="belongs to the dashboard"):
        await agent.join("lineside.ingest", [RUN], client_id="a")


async def test_no_token_can_fence_the_relay(owner: HttpLog, beside: SqliteLog) -> None:
    relay = await beside.transaction("lineside.relay")
    await owner.transaction("lineside.relay")
    assert len(await relay.append([NewRecord(REVIEW, b"task", b"granted")])) == 1


async def test_topics_are_created_and_deleted_only_with_that_right(agent: HttpLog) -> None:
    with pytest.raises(LogDenied) as refused:
        await agent.create_topics([TopicSpec("coord.run.task.more", 1)])
    assert refused.value.code == "topics_denied"
    with pytest.raises(LogDenied):
        await agent.delete_topic(RUN)


async def test_a_lost_answer_skips_nothing(owner: HttpLog, monkeypatch: pytest.MonkeyPatch) -> None:
    name = await make_topic(owner)
    await owner.append([NewRecord(name, b"k", b"%d" % number) for number in range(6)])
    member = await owner.join("agent.lost", [name], client_id="a")
    reader = await owner.reader({TopicPartition(name, 0): 0})
    ask = owner._connection.ask
    lost: list[Any] = [Polled, Fetched]

    async def lossy(call: str, question: object, answer: type[Any], *, waits: float = 0.0) -> Any:
        answered: Any = await ask(call, question, answer, waits=waits)
        if answer in lost:
            lost.remove(answer)
            raise LogUnreachable("the answer was lost on its way")
        return answered

    monkeypatch.setattr(owner._connection, "ask", lossy)
    with pytest.raises(LogUnreachable):
        await member.poll(3, 1)
    with pytest.raises(LogUnreachable):
        await reader.read(3, 1)
    assert [record.offset for record in await take_polled(member, 6)] == [0, 1, 2, 3, 4, 5]
    assert [record.offset for record in await take(reader, 6)] == [0, 1, 2, 3, 4, 5]
    await member.close()


async def test_a_member_reads_on_when_its_topic_is_created_anew(owner: HttpLog) -> None:
    name = await make_topic(owner)
    await owner.append([NewRecord(name, b"k", b"old") for _ in range(3)])
    member = await owner.join("agent.anew", [name], client_id="a")
    await take_polled(member, 3)
    await owner.delete_topic(name)
    await owner.create_topics([TopicSpec(name, 1)])
    await owner.append([NewRecord(name, b"k", b"new") for _ in range(5)])
    assert [record.value for record in await take_polled(member, 5)] == [b"new"] * 5
    await member.close()


async def test_large_appends_travel_in_parts_and_keep_their_order(owner: HttpLog) -> None:
    name = await make_topic(owner)
    await owner.append([NewRecord(name, b"k", b"%5d" % number + bytes(9_000)) for number in range(1200)])
    records = await take(await owner.reader({TopicPartition(name, 0): 0}), 1200)
    assert [int((record.value or b"")[:5]) for record in records] == list(range(1200))


async def test_a_commit_that_does_not_fit_into_one_question_is_refused(owner: HttpLog) -> None:
    name = await make_topic(owner)
    member = await owner.join("agent.large", [name], client_id="a")
    await member.poll(1, 0.1)
    with pytest.raises(RecordTooLarge, match="smaller steps"):
        await member.commit({TopicPartition(name, 0): 0}, [NewRecord(name, b"k", bytes(900_000))] * 3)
    assert await owner.commits("agent.large") == {}
    await member.close()


async def test_an_answer_is_cut_where_it_would_be_too_large(owner: HttpLog) -> None:
    name = await make_topic(owner)
    for number in range(20):
        await owner.append([NewRecord(name, b"k", b"%2d" % number + bytes(1_000_000))])
    question = Fetch([Position(name, 0, 0)], 1000, 0.0)
    first = await owner._connection.ask("fetch", question, Fetched)
    assert 5 < len(first.records) < 10
    assert sum(len(record.value or b"") for record in first.records) <= MAX_ANSWER_BYTES
    assert first.positions == [Position(name, 0, len(first.records))]
    records = await take(await owner.reader({TopicPartition(name, 0): 0}), 20)
    assert [int((record.value or b"")[:2]) for record in records] == list(range(20))


async def test_polling_for_a_member_nobody_knows_is_fenced(owner: HttpLog) -> None:
    with pytest.raises(MemberFenced):
        await owner._connection.ask("poll", Poll("nobody", [], [], 1, 0.0), Polled)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"\x81\xa7records\x01"])
async def test_a_malformed_question_is_refused_with_words(log_server: LogServer, body: bytes) -> None:
    headers = {"Authorization": "Bearer everything"}
    url = log_server.base_url + "/api/v1/log/append"
    async with httpx.AsyncClient() as client:
        response = await client.post(url, content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["code"] == "malformed_question"


async def test_a_question_over_the_servers_limit_is_refused_with_words(log_server: LogServer) -> None:
    headers = {"Authorization": "Bearer everything"}
    url = log_server.base_url + "/api/v1/log/append"
    async with httpx.AsyncClient() as client:
        response = await client.post(url, content=bytes(9_000_000), headers=headers)
    assert response.status_code == 413
    assert response.json()["error"] == "record_too_large"


async def test_a_restart_of_the_server_loses_nothing_and_fences_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 60.0)  # a busy machine takes its time to start a server
    server = LogServer(tmp_path)
    server.start()
    log = HttpLog(server.base_url, "everything")
    await log.create_topics([TopicSpec("t", 1)])
    await log.append([NewRecord("t", b"k", b"before")])
    member = await log.join("agent.a", ["t"], client_id="a", session_timeout=1.0)
    (record,) = await take_polled(member, 1)
    server.stop()
    waiting = asyncio.create_task(log.append([NewRecord("t", b"k", b"while it was away")]))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.start)
    (placed,) = await waiting
    assert placed.offset == 1
    with pytest.raises(MemberFenced):
        await member.commit({TopicPartition("t", 0): record.offset + 1})
    await member.close()
    again = await log.join("agent.a", ["t"], client_id="a")
    assert [r.value for r in await take_polled(again, 2)] == [b"before", b"while it was away"]
    await again.close()
    await log.close()
    server.stop()


async def test_a_server_that_is_not_there_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.5)
    log = HttpLog("http://127.0.0.1:9", "token")
    with pytest.raises(LogUnreachable, match="cannot be reached") as refused:
        await log.topics()
    assert refused.value.retryable
    await log.close()
    with pytest.raises(LogUnreachable, match="closed"):
        await log.topics()


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> HttpLog:
    log = HttpLog("http://dashboard.example", "token")
    log._connection._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return log


async def test_an_answer_that_makes_no_sense_is_no_answer() -> None:
    log = answering(lambda _: httpx.Response(200, text="<html>a login page of somebody else</html>"))
    with pytest.raises(LogUnreachable, match="no answer to it"):
        await log.topics()
    await log.close()


@pytest.mark.parametrize(("status", "error"), [(500, LogUnreachable), (502, LogUnreachable), (404, LogDenied)])
async def test_a_failure_without_a_problem_document_is_told_by_its_status(status: int, error: type[Exception]) -> None:
    log = answering(lambda _: httpx.Response(status, text="proxy"))
    with pytest.raises(error, match=str(status)):
        await log.topics()
    await log.close()


async def test_a_question_that_left_is_never_put_again() -> None:
    asked = []

    def fail(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        raise httpx.ReadTimeout("the answer takes too long")

    log = answering(fail)
    with pytest.raises(LogUnreachable, match="did not answer"):
        await log.append([NewRecord("t", b"k", b"v")])
    assert asked == ["/api/v1/log/append"]
    await log.close()


async def test_a_thread_with_a_loop_of_its_own_takes_a_log_of_its_own(log_server: LogServer, owner: HttpLog) -> None:
    name = await make_topic(owner)

    async def work() -> None:
        log = HttpLog(log_server.base_url, "everything")
        await log.append([NewRecord(name, b"k", b"v")])
        await log.close()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    await asyncio.to_thread(thread.join)
    assert len(await take(await owner.reader({TopicPartition(name, 0): 0}), 1)) == 1
