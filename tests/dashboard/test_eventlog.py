"""Settings become an adapter: one log for a process where it can be, one client for each event loop elsewhere."""

import asyncio

import pytest
from django.test import override_settings

from coordination.errors import CoordinationError
from coordination.httplog import HttpLog
from coordination.kafkalog import KafkaLog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog
from dashboard.eventlog import close_eventlog, open_eventlog


async def opened(url: str):
    with override_settings(LINESIDE_LOG=url):
        return open_eventlog()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://one", MemoryLog),
        ("kafka://127.0.0.1:9", KafkaLog),
        ("http://127.0.0.1:9/api/v1/log?token=secret", HttpLog),
    ],
)
async def test_the_scheme_chooses_the_adapter(url, kind):
    assert isinstance(await opened(url), kind)
    await close_eventlog()


async def test_the_file_of_an_embedded_log_is_made_with_its_folder(tmp_path):
    log = await opened(f"sqlite:///{tmp_path}/new/with%20space/log.sqlite3")
    assert isinstance(log, SqliteLog)
    assert log.path == tmp_path / "new" / "with space" / "log.sqlite3"
    await log.close()


async def test_any_other_scheme_is_refused_in_words():
    with pytest.raises(CoordinationError, match="No log can be opened by the address 'carrier-pigeon://x'"):
        await opened("carrier-pigeon://x")


def test_a_local_log_is_one_for_all_event_loops_of_the_process():
    assert asyncio.run(opened("memory://shared")) is asyncio.run(opened("memory://shared"))
    assert asyncio.run(opened("memory://shared")) is not asyncio.run(opened("memory://other"))


async def test_a_client_of_a_remote_log_is_one_for_an_event_loop_until_closed():
    first = await opened("kafka://127.0.0.1:9")
    assert await opened("kafka://127.0.0.1:9") is first
    await close_eventlog()
    assert await opened("kafka://127.0.0.1:9") is not first
    await close_eventlog()
