"""Which log an address means, so that one word in the environment is enough to run an agent anywhere."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog
from coordination.httplog import HttpLog
from coordination.kafkalog import open_kafkalog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog

LOG_VARIABLE: Final = "LINESIDE_LOG"


def open_log(address: str = "") -> EventLog:
    """The log at an address; without one, at the address in `LINESIDE_LOG`.

    `sqlite:///folder/log.sqlite3` · `kafka://host:9092,host2:9092?…` · `https://host/?token=…` · `memory:`.
    Raises CoordinationError.
    """
    address = address or os.environ.get(LOG_VARIABLE, "")
    parts = urlsplit(address)
    match parts.scheme:
        case "sqlite":
            return SqliteLog(Path(unquote(parts.path)))
        case "kafka":
            return open_kafkalog(address)
        case "http" | "https":
            token = parse_qs(parts.query).get("token", [""])[0]
            return HttpLog(parts._replace(query="").geturl(), token)
        case "memory":
            return MemoryLog()
    known = "sqlite:, kafka:, http:, https: or memory:"
    # The address itself may hold a password.
    raise CoordinationError(f"The log's address begins with {parts.scheme!r}, not with {known}.", code="bad_address")
