"""Rules of the log's HTTP face as a router: addresses, statuses, problem documents, OpenAPI."""

import json
from typing import Any

import msgspec
import pytest
from ninja import NinjaAPI
from ninja.testing import TestAsyncClient

from coordination import logmessages as m
from coordination.errors import LogUnreachable
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from dashboard.api.logcalls import CALLS
from dashboard.api.logrouter import log_router

TOPIC = "coord.run.task.events"


class Everything:
    """A scope that allows every topic."""

    manages_topics = True

    def allows_topic(self, name: str, write: bool) -> bool:
        return True


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog()
    await log.create_topics([TopicSpec(TOPIC, 1)])
    return log


@pytest.fixture
def client(log: MemoryLog) -> TestAsyncClient:
    return TestAsyncClient(log_router(lambda: log))


async def post(client: TestAsyncClient, call: str, question: object) -> tuple[int, bytes]:
    body: Any = msgspec.msgpack.encode(question)
    response = await client.post(f"/{call}", data=body, auth=Everything())
    return response.status_code, response.content


async def test_an_append_answers_with_positions_in_msgpack(client: TestAsyncClient) -> None:
    status, body = await post(client, "append", m.Append([NewRecord(TOPIC, b"k", b"v")]))
    assert status == 200
    (placed,) = msgspec.msgpack.decode(body, type=m.Placed).appended
    assert placed[:3] == (TOPIC, 0, 0)


@pytest.mark.parametrize(
    ("call", "question", "status", "error"),
    [
        ("append", m.Append([NewRecord("none", b"k", b"v")]), 404, "unknown_topic"),
        ("append", m.Append([NewRecord(TOPIC, b"k", bytes(2_000_000))]), 413, "record_too_large"),
        ("append", m.Append([NewRecord("coord.review.approval.events", b"k", b"v")]), 403, "log_denied"),
        ("fetch", m.Fetch([m.Position(TOPIC, 0, 9)], 1, 0.0), 409, "offset_out_of_range"),
        ("heartbeat", m.Heartbeat("nobody"), 409, "member_fenced"),
        ("transaction-append", m.AppendAs("nobody", []), 409, "member_fenced"),
    ],
)
async def test_each_kind_of_refusal_has_its_status(
    client: TestAsyncClient, call: str, question: object, status: int, error: str
) -> None:
    answered, body = await post(client, call, question)
    assert answered == status
    problem = json.loads(body)
    assert (problem["status"], problem["error"]) == (status, error)
    assert problem["detail"]


async def test_a_log_that_is_away_is_unavailable_not_an_accident(
    client: TestAsyncClient, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> None:
        raise LogUnreachable("The log file is locked.")

    monkeypatch.setattr(log, "ends", away)
    status, body = await post(client, "ends", m.AskEnds([TopicPartition(TOPIC, 0)]))
    assert status == 503
    assert json.loads(body)["detail"] == "The log file is locked."


async def test_numbers_that_make_no_sense_do_no_harm(client: TestAsyncClient) -> None:
    for count, timeout in ((-5, float("nan")), (10**9, -1.0)):
        status, body = await post(client, "fetch", m.Fetch([m.Position(TOPIC, 0, 0)], count, timeout))
        assert status == 200
        assert msgspec.msgpack.decode(body, type=m.Fetched).records == []


async def test_the_log_is_asked_for_at_each_call() -> None:
    logs = [MemoryLog(), MemoryLog()]
    client = TestAsyncClient(log_router(lambda: logs[0]))
    await post(client, "create-topics", m.CreateTopics([TopicSpec("t", 1)]))
    logs.reverse()
    _, body = await post(client, "topics", m.AskTopics())
    assert msgspec.msgpack.decode(body, type=m.Topics).topics == []


def test_openapi_lists_every_call_with_its_fields() -> None:
    api = NinjaAPI(urls_namespace="log-openapi")
    api.add_router("/log", log_router(MemoryLog))
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    assert {path.rpartition("/")[2] for path in paths} == set(CALLS)
    (append,) = [path for path in paths if path.endswith("/log/append")]
    body = paths[append]["post"]["requestBody"]["content"][m.MEDIA_TYPE]
    assert "records" in body["schema"]["description"]
