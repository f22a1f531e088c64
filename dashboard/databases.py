"""The database out of one address, with what each engine needs to be quick and safe."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url

from dashboard.environment import Environment

SCHEMES = ("sqlite", "postgres", "postgresql")
# WAL lets pages read while ingest writes; NORMAL loses no committed row when the process dies, and what a power
# cut may take back is read again from the log. The page cache and the memory map hold the rate on large tables.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; "
    "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; "
    "PRAGMA journal_size_limit=67108864;"
)


def database(environment: Environment, state: Path) -> dict[str, Any]:
    """Django's settings of the one database, out of `LINESIDE_DATABASE_URL` (default: SQLite in `state`)."""
    default = f"sqlite:///{quote(str(state / 'lineside.sqlite3'))}"
    settings = _parsed(environment.url("DATABASE_URL", default, SCHEMES), environment, default)
    options = settings.setdefault("OPTIONS", {})
    if settings["ENGINE"].endswith("sqlite3"):
        options |= {"init_command": SQLITE_PRAGMAS, "transaction_mode": "IMMEDIATE", "timeout": 20}
        # In memory SQLite has neither WAL nor several connections, so tests use a file too.
        settings["TEST"] = {"NAME": str(state / f"test-{os.getpid()}.sqlite3")}
    else:
        _bound_connections(settings)
    return settings


def _parsed(url: str, environment: Environment, default: str) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(url))
    except (ValueError, KeyError) as error:
        environment.wrong(
            "lineside.E006",
            f"LINESIDE_DATABASE_URL cannot be read: {error}.",
            "Write postgres://user:password@host:5432/name (special characters percent-encoded).",
        )
        return dict(dj_database_url.parse(default))


# Whoever asks while the server is away hears so after `timeout` seconds. The pool doubles its pauses between tries
# up to `reconnect_timeout`; then a new request begins anew, so that pages are back seconds after the server is.
POOL = {"min_size": 1, "max_size": 16, "timeout": 3, "reconnect_timeout": 5}


def _bound_connections(settings: dict[str, Any]) -> None:
    """Every request runs in a thread of its own, so persistent connections would leak: a pool, or none.

    Connections are tried before they are lent: those from before a restart of the server are dead.
    """
    if find_spec("psycopg_pool") is not None:
        settings["OPTIONS"].setdefault("pool", dict(POOL))
    settings["CONN_MAX_AGE"] = 0
    settings["CONN_HEALTH_CHECKS"] = True
