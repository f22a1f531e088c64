"""A run's rows as they stood at a position, in tables of their own: a small SQLite database in memory.

It has the tables that pictures of a run are drawn from, so they are asked by the same queries as the live ones;
which of the two a thread reads is said by `in_place` and heeded by the database router. Filled it is by the same code
that fills the live ones: ingest's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, cast

import zstandard
from django.contrib.auth.models import User
from django.db import connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS

from dashboard.models import (
    Agent,
    Approval,
    Claim,
    ConsumerGroup,
    DeadLetter,
    Decision,
    FanOut,
    FoldPart,
    Request,
    Run,
    RunPart,
    Step,
    Task,
    Vote,
)

PAST: Final = "past"
MODELS: Final[tuple[type[models.Model], ...]] = (
    Task,
    RunPart,
    FoldPart,
    FanOut,
    Request,
    Agent,
    Run,
    Approval,
    DeadLetter,
    ConsumerGroup,
    Decision,
    Vote,
    Step,
    Claim,  # stays empty: who looked at a request when is not kept
)
JOINED: Final[tuple[type[models.Model], ...]] = (User,)
"""Tables that those are joined with. Asked for themselves they stay where they are."""
LEVEL: Final = 1
_in_place: ContextVar[bool] = ContextVar("dashboard.past", default=False)


class PastRouter:
    """Sends questions about a run's rows to the past while a thread is there; everything else stays where it is."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        """See Django's documentation of database routers. Rows that hang on others of the past are asked live, too,
        unless they are of the past themselves."""
        if not _in_place.get():
            return None
        return PAST if model in MODELS else DEFAULT_DB_ALIAS


class Tables:
    """One database in memory. For one thread at a time; `content` is what `frozen` gave."""

    def __init__(self, content: bytes | None = None) -> None:
        self._wrapper = _wrapper()
        self._wrapper.connect()
        self._wrapper.inc_thread_sharing()
        whole = _empty() if content is None else zstandard.ZstdDecompressor().decompress(content)
        self._driver.deserialize(whole)

    @property
    def _driver(self) -> Any:
        return self._wrapper.connection

    def frozen(self) -> bytes:
        """All that is in it, compressed."""
        return zstandard.ZstdCompressor(level=LEVEL).compress(self._driver.serialize())

    def close(self) -> None:
        """Let go of the memory."""
        self._driver.close()

    @contextmanager
    def to_fill(self) -> Iterator[None]:
        """Inside, this thread's connection is this database: whatever is written goes here."""
        live = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self._wrapper
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = live

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, questions about a run's rows are answered from here."""
        connections[PAST] = self._wrapper
        token = _in_place.set(True)
        try:
            yield
        finally:
            _in_place.reset(token)
            del connections[PAST]


def _wrapper() -> DatabaseWrapper:
    memory = {DEFAULT_DB_ALIAS: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    return DatabaseWrapper(connections.configure_settings(memory)[DEFAULT_DB_ALIAS], PAST)


@cache
def _empty() -> bytes:
    """The tables with nothing in them."""
    connections[PAST] = wrapper = _wrapper()
    try:
        with wrapper.schema_editor() as editor:
            for model in (*JOINED, *MODELS):
                editor.create_model(model)
        return cast(bytes, cast(Any, wrapper.connection).serialize())
    finally:
        wrapper.close()
        del connections[PAST]
