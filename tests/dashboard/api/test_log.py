"""Rules of the log's HTTP face as a part of the API: the dashboard's own tokens, and the log of this process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIHandler
from django.urls import path
from ninja import NinjaAPI
from pytest_django import Settings

from coordination.errors import LogDenied
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.httplog import HttpLog
from dashboard.api import log as log_face
from dashboard.api.logrouter import log_router
from dashboard.api.root import api
from dashboard.api.tokens import SessionAuth, TokenAuth
from dashboard.eventlog import open_eventlog
from dashboard.models import ApiToken
from tests.dashboard.scenes import member

RUN, ASKS, GRANTS = "coord.run.task.events", "coord.review.approval.commands", "coord.review.approval.events"

# An API of its own, so that this test does not depend on which calls the whole API has.
own = NinjaAPI(urls_namespace="log-with-tokens", auth=[TokenAuth(), SessionAuth()], docs_url=None)
own.add_router("/log", log_router(open_eventlog))
addresses = own.urls
for address in addresses[0]:
    if address.callback is not None:
        address.callback = login_not_required(address.callback)
urlpatterns = [path("api/v1/", addresses)]


@pytest.fixture
async def agent(settings: Settings, tmp_path: Path, transactional_db: None) -> AsyncIterator[HttpLog]:
    """Reads coord.run.* and coord.review.*, writes them too, as far as its token's scope is heard."""
    settings.ROOT_URLCONF = __name__
    settings.STATIC_ROOT = tmp_path
    settings.LINESIDE_LOG = f"sqlite://{tmp_path}/log.sqlite3"
    user = await sync_to_async(member)("agent", "steer_run")
    scope = ["log:coord.run.*", "log:coord.review.*"]
    _, secret = await sync_to_async(ApiToken.objects.issue)(user, "agent", scope, None)
    await open_eventlog().create_topics([TopicSpec(name, 1) for name in (RUN, ASKS, GRANTS)])
    log = HttpLog("http://testserver", secret)
    app: Any = ASGIHandler()
    transport = httpx.ASGITransport(app=app)
    headers = log._connection._client.headers
    log._connection._client = httpx.AsyncClient(transport=transport, headers=headers)
    yield log
    await log.close()
    await open_eventlog().close()


async def test_an_agent_works_on_the_log_of_this_process(agent: HttpLog) -> None:
    await agent.append([NewRecord(RUN, b"task", b"started")])
    reader = await open_eventlog().reader({TopicPartition(RUN, 0): 0})
    assert [record.value for record in await reader.read(10, 1.0)] == [b"started"]
    member = await agent.join("agent.coder", [RUN], client_id="a")
    (record,) = await member.poll(10, 1.0)
    await member.commit({TopicPartition(RUN, 0): record.offset + 1}, [NewRecord(RUN, b"task", b"completed")])
    assert await open_eventlog().commits("agent.coder") == {TopicPartition(RUN, 0): 1}
    await member.close()


async def test_agents_that_wait_hold_up_nobody(agent: HttpLog) -> None:
    readers = [await agent.reader({TopicPartition(RUN, 0): 0}) for _ in range(10)]
    waiting = [asyncio.create_task(reader.read(1, 20.0)) for reader in readers]
    await asyncio.sleep(0.5)
    async with asyncio.timeout(5.0):
        assert RUN in await agent.topics()
        await agent.append([NewRecord(RUN, b"task", b"started")])
        assert [len(records) for records in await asyncio.gather(*waiting)] == [1] * 10


async def test_an_agent_may_ask_for_approval_and_never_grant_it(agent: HttpLog) -> None:
    await agent.append([NewRecord(ASKS, b"task", b"may I?")])
    with pytest.raises(LogDenied):
        await agent.append([NewRecord(GRANTS, b"task", b"granted")])
    with pytest.raises(LogDenied):
        await agent.join("agent.coder", [ASKS], client_id="a")


async def test_an_agent_makes_no_topics(agent: HttpLog) -> None:
    with pytest.raises(LogDenied):
        await agent.create_topics([TopicSpec("coord.run.more", 1)])


async def test_a_token_that_expired_or_never_was_opens_nothing(agent: HttpLog) -> None:
    agent._connection._client.headers["Authorization"] = "Bearer lsd_guessed"
    with pytest.raises(LogDenied):
        await agent.topics()


def test_the_whole_api_has_the_log() -> None:
    assert log_face.__name__ == "dashboard.api.log"
    assert "/log" in [prefix for prefix, _ in api._routers]
