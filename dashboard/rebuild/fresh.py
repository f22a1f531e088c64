"""The fresh tables, beside the live ones, on either database.

On PostgreSQL they stand in a schema of their own and move into the place of the live ones by a change of schema:
nothing is copied. On SQLite they stand in a file of their own, so that filling them does not take the one write
lock from ingest; the swap copies them over in one transaction, while pages read on from what was before.

They are reached over a connection that knows only them, so whatever folds into them cannot touch anything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Protocol

from django.db import connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from dashboard.models import Agent, FanOut, FoldPart, Request, Run, RunPart, Task

MODELS: Final[tuple[type[models.Model], ...]] = (Task, RunPart, FoldPart, FanOut, Request, Agent, Run)
TABLES: Final = tuple(model._meta.db_table for model in MODELS)
SCHEMA: Final = "lineside_rebuild"
LOCK_MS: Final = 100
"""For each table. All of them together take less than PostgreSQL's second before it looks for deadlocks, so that a
page which holds one table and waits for another is never the one that is sent away."""
DEFAULT: Final = "default"


class Fresh(Protocol):
    """Fresh tables on one of the databases."""

    def make(self) -> None:
        """Make them, empty; what an earlier rebuild left behind goes first."""
        ...

    def finish(self) -> None:
        """They are filled: make their indexes and let the planner know them."""
        ...

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """Inside, this thread's connection is the one that knows the fresh tables only."""
        ...

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Inside, the live connection can reach them; to be entered before the transaction of the swap."""
        ...

    def swap(self) -> None:
        """Put them in the place of the live ones, inside the caller's transaction."""
        ...

    def drop(self) -> None:
        """Take away what is left of them."""
        ...


def fresh_tables() -> Fresh:
    """The fresh tables for the database in use."""
    return SqliteFresh() if connection.vendor == "sqlite" else PostgresFresh()


class _Twin:
    """A second connection of this thread, put in the place of the first while it is needed."""

    def __init__(self, **changes: Any) -> None:
        settings = deepcopy(connection.settings_dict) | changes
        settings["OPTIONS"] = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
        self.wrapper: BaseDatabaseWrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, DEFAULT)

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        live = connections[DEFAULT]
        connections[DEFAULT] = self.wrapper
        try:
            yield
        finally:
            connections[DEFAULT] = live


def _make(twin: _Twin) -> list[Any]:
    """Make the tables; returns the statements that make their indexes."""
    with twin.wrapper.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
        statements: list[Any] = editor.deferred_sql
        editor.deferred_sql = []
    return statements


class SqliteFresh:
    """See Fresh."""

    def __init__(self) -> None:
        self._path = Path(f"{connection.settings_dict['NAME']}.rebuild")
        self._twin = _Twin(NAME=str(self._path))

    def make(self) -> None:
        """See Fresh."""
        self._remove()
        _make(self._twin)
        with self._twin.wrapper.cursor() as cursor:
            # A file that is thrown away after a power cut need not survive one.
            cursor.execute("PRAGMA synchronous=OFF")

    def finish(self) -> None:
        """See Fresh; the live tables have their own indexes."""

    def at_hand(self) -> Any:
        """See Fresh."""
        return self._twin.at_hand()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """See Fresh."""
        self._twin.wrapper.close()
        with connection.cursor() as cursor:
            cursor.execute("ATTACH DATABASE %s AS fresh", [str(self._path)])
            try:
                yield
            finally:
                cursor.execute("DETACH DATABASE fresh")

    def swap(self) -> None:
        """See Fresh. Indexes are made after the rows: half the time under the write lock."""
        with connection.cursor() as cursor:
            for model in MODELS:
                self._copy(cursor, model)

    def _copy(self, cursor: Any, model: type[models.Model]) -> None:
        table = model._meta.db_table
        columns = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields)
        cursor.execute(
            "SELECT name, sql FROM main.sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX main."{name}"')
        cursor.execute(f"DELETE FROM main.{table}")  # our own names  # noqa: S608  # nosec B608
        cursor.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM fresh.{table}")  # our own names  # noqa: S608  # nosec B608
        for _, statement in indexes:
            cursor.execute(statement)

    def drop(self) -> None:
        """See Fresh."""
        self._twin.wrapper.close()
        self._remove()

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            Path(f"{self._path}{end}").unlink(missing_ok=True)


class PostgresFresh:
    """See Fresh. The user of the database needs the right to create a schema in it."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            self._live: str = cursor.fetchone()[0]
        # As an option of the connection, so that one made anew cannot find itself among the live tables.
        options = f"{connection.settings_dict['OPTIONS'].get('options', '')} -c search_path={SCHEMA}"
        self._twin = _Twin(OPTIONS=connection.settings_dict["OPTIONS"] | {"options": options.strip()})
        self._indexes: list[Any] = []

    def make(self) -> None:
        """See Fresh."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        self._indexes = _make(self._twin)

    def finish(self) -> None:
        """See Fresh; once, because indexes stay."""
        indexes, self._indexes = self._indexes, []
        with self._twin.wrapper.cursor() as cursor:
            for statement in indexes:
                cursor.execute(str(statement))
            for table in TABLES:
                cursor.execute(f"ANALYZE {table}")

    def at_hand(self) -> Any:
        """See Fresh."""
        return self._twin.at_hand()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """See Fresh; a schema of the same database always can be reached."""
        yield

    def swap(self) -> None:
        """See Fresh. Pages wait for the moment between lock and commit; who holds us up longer makes us give way
        (OperationalError), and may be tried again."""
        live = connection.ops.quote_name(self._live)
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MS}ms'")
            cursor.execute(f"LOCK TABLE {', '.join(f'{live}.{table}' for table in TABLES)} IN ACCESS EXCLUSIVE MODE")
            for table in TABLES:
                cursor.execute(f"DROP TABLE {live}.{table}")
                cursor.execute(f"ALTER TABLE {SCHEMA}.{table} SET SCHEMA {live}")

    def drop(self) -> None:
        """See Fresh."""
        self._twin.wrapper.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
