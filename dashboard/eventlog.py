"""Which log this process works on: the only place where settings become an adapter."""

import asyncio
import threading
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakKeyDictionary

from django.conf import settings

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog
from coordination.httplog import HttpLog
from coordination.kafkalog import open_kafkalog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog

LOCAL: Final = ("sqlite", "memory")
_lock = threading.Lock()
_of_process: dict[str, EventLog] = {}
_of_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, EventLog]]" = WeakKeyDictionary()


def open_eventlog() -> EventLog:
    """The log of `LINESIDE_LOG`, opened when it is first asked for; call it inside a running event loop.

    A log on this machine is one for the whole process, so that an append wakes its readers at once; a client of
    a remote log belongs to one event loop. Raises CoordinationError when the address makes no sense.
    """
    url = str(settings.LINESIDE_LOG)
    if urlsplit(url).scheme in LOCAL:
        with _lock:
            if url not in _of_process:
                _of_process[url] = _opened(url)
            return _of_process[url]
    logs = _of_loop.setdefault(asyncio.get_running_loop(), {})
    if url not in logs:
        logs[url] = _opened(url)
    return logs[url]


async def close_eventlog() -> None:
    """Close the client of this event loop; a log of the whole process stays open."""
    for log in _of_loop.pop(asyncio.get_running_loop(), {}).values():
        await log.close()


def _opened(url: str) -> EventLog:
    parts = urlsplit(url)
    match parts.scheme:
        case "memory":
            return MemoryLog()
        case "sqlite":
            path = Path(unquote(parts.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteLog(path)
        case "kafka":
            return open_kafkalog(url)
        case "http" | "https":
            token = parse_qs(parts.query).get("token", [""])[0]
            return HttpLog(parts._replace(query="").geturl(), token)
    raise CoordinationError(f"No log can be opened by the address {url!r}.", code="bad_log_url")
