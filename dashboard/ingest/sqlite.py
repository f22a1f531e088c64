"""The store on SQLite: one writer at a time, so `BEGIN IMMEDIATE` is the lock and executemany the quickest way."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec
from django.db import connection

from coordination.runs import RunPart
from dashboard.ingest.store import Advance, Conflict, SegmentRow, StretchRow
from dashboard.ingest.summary import RUN_COLUMNS, RUNS
from dashboard.ingest.tables import RUN_PARTS, Table
from dashboard.models.body import pack_body, unpack_body

Row = TypeVar("Row")
# For the one connection that writes: a large page cache and rare checkpoints hold the rate on large tables.
PRAGMAS: Final = ("cache_size=-262144", "wal_autocheckpoint=8000")


class SqliteStore:
    """See `dashboard.ingest.store.Store`."""

    summaries_inside = True

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()

    def open(self) -> None:
        """See Store."""
        connection.ensure_connection()
        for pragma in PRAGMAS:
            _run(f"PRAGMA {pragma}")

    def lock(self, leases: Mapping[str, int]) -> set[str]:
        """See Store. The transaction began as IMMEDIATE, so nobody else writes until it ends."""
        rows = _run(
            "SELECT s.shard, s.epoch FROM json_each(?) AS k CROSS JOIN dashboard_shard AS s ON s.shard = k.value",
            [_json(list(leases))],
        )
        return {shard for shard, epoch in rows if leases[shard] == epoch}

    def new_batch(self, worker: str, read_at: int, records: int) -> int:
        """See Store."""
        insert = "INSERT INTO dashboard_batch (worker, read_at, records) VALUES (?, ?, ?)"
        return int(_run(insert, [worker, read_at, records]).lastrowid or 0)

    def enter_keys(self, keys: Sequence[int], offsets: Sequence[int]) -> Mapping[int, int] | None:
        """See Store. In key order, because neighbours in the tree share pages."""
        entered = _run_many(
            'INSERT OR IGNORE INTO dashboard_eventkey ("key", "offset") VALUES (?, ?)',
            sorted(zip(keys, offsets, strict=True)),
        )
        if entered == len(keys):
            return None
        rows = _run(
            'SELECT e."key", e."offset" FROM json_each(?) AS k CROSS JOIN dashboard_eventkey AS e ON e."key" = k.value',
            [_json(keys)],
        )
        return dict(rows)

    def load(self, table: Table[Row], keys: Iterable[Any], *, lock: bool = False) -> list[Row]:
        """See Store; the transaction holds the only lock there is."""
        rows = _run(_load_sql(table.name, table.key), [_json(list(keys))])
        decode = _decoder(cast(Any, table.row)).decode
        if table.packed:
            return [decode(unpack_body(body)) for (body,) in rows]
        return [decode(body) for (body,) in rows]

    def load_parts(self, run_ids: Sequence[str], besides: Sequence[str] = ()) -> list[RunPart]:
        """See Store."""
        rows = _run(
            "SELECT p.body FROM json_each(?) AS k CROSS JOIN dashboard_runpart AS p ON p.run_id = k.value "
            "WHERE p.shard NOT IN (SELECT value FROM json_each(?))",
            [_json(run_ids), _json(besides)],
        )
        return [_decoder(RUN_PARTS.row).decode(body) for (body,) in rows]

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """See Store."""
        encode, values = self._encoder.encode, table.values
        bodies = [pack_body(encode(row)) if table.packed else encode(row).decode() for row in rows]
        written = _run_many(
            _save_sql(table.name, table.key, tuple(name for name, _ in table.all_columns)),
            [(*values(row), row.revision, body) for row, body in zip(rows, bodies, strict=True)],  # type: ignore[attr-defined]
        )
        _expect(written, len(rows), table.name)

    def save_runs(self, runs: Sequence[tuple[Any, ...]]) -> None:
        """See Store."""
        _run_many(_save_runs_sql(), runs)

    def forget_folds(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """See Store."""
        _run_many("DELETE FROM dashboard_foldpart WHERE run_id = ? AND fold_key = ? AND shard = ?", keys)

    def add_segments(self, segments: Sequence[SegmentRow], stretches: Sequence[StretchRow]) -> None:
        """See Store."""
        _run_many(_insert_sql("dashboard_segment", SegmentRow._fields), segments)
        _run_many(_insert_sql("dashboard_stretch", StretchRow._fields), stretches)

    def advance(self, positions: Sequence[Advance]) -> None:
        """See Store."""
        moved = _run_many(
            "UPDATE dashboard_position SET next_offset = ?, records = records + ?, last_at = coalesce(?, last_at), "
            "head = coalesce(nullif(?, ''), head) WHERE topic = ? AND partition = ? AND next_offset = ?",
            [
                (move.next_offset, move.records, move.last_at, move.head, *move.partition, move.expected)
                for move in positions
            ],
        )
        _expect(moved, len(positions), "dashboard_position")

    def settle(self) -> None:
        """See Store; every statement was answered at once."""

    def discard(self) -> None:
        """See Store; nothing is under way."""

    def close(self) -> None:
        """See Store; the connection is this thread's own."""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# Straight to the driver: with a handful of events a batch, Django's cursor would cost more than the statements.
def _run(statement: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
    with connection.wrap_database_errors:
        return cast(sqlite3.Connection, connection.connection).execute(statement, params)


def _run_many(statement: str, rows: Sequence[Any]) -> int:
    """Run for each row; returns how many rows were changed in all."""
    with connection.wrap_database_errors:
        return cast(sqlite3.Connection, connection.connection).executemany(statement, rows).rowcount


def _expect(changed: int, count: int, table: str) -> None:
    if changed != count:
        raise Conflict(f"{count - changed} of {count} rows of {table} were written by somebody else.")


@cache
def _decoder(row: Any) -> Any:
    return msgspec.json.Decoder(row)


@cache
def _load_sql(table: str, key: tuple[str, ...]) -> str:
    parts = (
        [f"t.\"{name}\" = json_extract(k.value, '$[{number}]')" for number, name in enumerate(key)]
        if len(key) > 1
        else [f't."{key[0]}" = k.value']
    )
    return f"SELECT t.body FROM json_each(?) AS k CROSS JOIN {table} AS t ON {' AND '.join(parts)}"  # our own names  # noqa: S608  # nosec B608


@cache
def _save_sql(table: str, key: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    return (
        f"{_insert_sql(table, columns)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes} "  # our own names  # nosec B608
        f"WHERE {table}.revision = excluded.revision - 1"
    )


@cache
def _save_runs_sql() -> str:
    columns = tuple(name for name, _ in RUN_COLUMNS)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != "run_id")
    return (
        f"{_insert_sql(RUNS, columns)} ON CONFLICT (run_id) DO UPDATE SET {changes} "  # our own names  # nosec B608
        f"WHERE {RUNS}.revision < excluded.revision"
    )


@cache
def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(['?'] * len(columns))})"  # our own names  # noqa: S608  # nosec B608
