"""The store on SQLite: one writer at a time, so `BEGIN IMMEDIATE` is the lock and executemany the quickest way."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from coordination.runs import RunPart
from dashboard.ingest.store import Advance, Conflict, SegmentRow, StretchRow
from dashboard.ingest.summary import RUN_COLUMNS, RUNS
from dashboard.ingest.tables import FOLD_PARTS, RUN_PARTS, Table
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
        with connection.cursor() as cursor:
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma}")

    def lock(self, leases: Mapping[str, int]) -> set[str]:
        """See Store. The transaction began as IMMEDIATE, so nobody else writes until it ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.shard, s.epoch FROM json_each(%s) AS k CROSS JOIN dashboard_shard AS s ON s.shard = k.value",
                [_json(list(leases))],
            )
            return {shard for shard, epoch in cursor.fetchall() if leases[shard] == epoch}

    def new_batch(self, worker: str, read_at: int, records: int) -> int:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO dashboard_batch (worker, read_at, records) VALUES (%s, %s, %s)", [worker, read_at, records]
            )
            return int(cursor.lastrowid)

    def enter_keys(self, keys: Sequence[int], offsets: Sequence[int]) -> Mapping[int, int] | None:
        """See Store. In key order, because neighbours in the tree share pages."""
        with connection.cursor() as cursor:
            cursor.executemany(
                'INSERT OR IGNORE INTO dashboard_eventkey ("key", "offset") VALUES (%s, %s)',
                sorted(zip(keys, offsets, strict=True)),
            )
            if cursor.rowcount == len(keys):
                return None
            cursor.execute(
                'SELECT e."key", e."offset" FROM json_each(%s) AS k '
                'CROSS JOIN dashboard_eventkey AS e ON e."key" = k.value',
                [_json(keys)],
            )
            return dict(cursor.fetchall())

    def load(self, table: Table[Row], keys: Iterable[Any], *, lock: bool = False) -> list[Row]:
        """See Store; the transaction holds the only lock there is."""
        with connection.cursor() as cursor:
            cursor.execute(_load_sql(table.name, table.key), [_json(list(keys))])
            decode = _decoder(cast(Any, table.row)).decode
            if table.packed:
                return [decode(unpack_body(body)) for (body,) in cursor.fetchall()]
            return [decode(body) for (body,) in cursor.fetchall()]

    def load_parts(self, run_ids: Sequence[str], besides: Sequence[str] = ()) -> list[RunPart]:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT p.body FROM json_each(%s) AS k CROSS JOIN {RUN_PARTS.name} AS p "  # noqa: S608
                "ON p.run_id = k.value WHERE p.shard NOT IN (SELECT value FROM json_each(%s))",
                [_json(run_ids), _json(besides)],
            )
            return [_decoder(RUN_PARTS.row).decode(body) for (body,) in cursor.fetchall()]

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """See Store."""
        encode, values = self._encoder.encode, table.values
        bodies = [pack_body(encode(row)) if table.packed else encode(row).decode() for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(
                _save_sql(table.name, table.key, tuple(name for name, _ in table.all_columns)),
                [(*values(row), row.revision, body) for row, body in zip(rows, bodies, strict=True)],  # type: ignore[attr-defined]
            )
            _expect(cursor, len(rows), table.name)

    def save_runs(self, runs: Sequence[tuple[Any, ...]]) -> None:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.executemany(_save_runs_sql(RUNS), runs)

    def forget_folds(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.executemany(
                f"DELETE FROM {FOLD_PARTS.name} "  # noqa: S608
                "WHERE run_id = %s AND fold_key = %s AND shard = %s",
                keys,
            )

    def add_segments(self, segments: Sequence[SegmentRow], stretches: Sequence[StretchRow]) -> None:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.executemany(_insert_sql("dashboard_segment", SegmentRow._fields), segments)
            cursor.executemany(_insert_sql("dashboard_stretch", StretchRow._fields), stretches)

    def advance(self, positions: Sequence[Advance]) -> None:
        """See Store."""
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE dashboard_position SET next_offset = %s, records = records + %s, "
                "last_at = coalesce(%s, last_at) WHERE topic = %s AND partition = %s AND next_offset = %s",
                [(move.next_offset, move.records, move.last_at, *move.partition, move.expected) for move in positions],
            )
            _expect(cursor, len(positions), "dashboard_position")

    def settle(self) -> None:
        """See Store; every statement was answered at once."""

    def discard(self) -> None:
        """See Store; nothing is under way."""

    def close(self) -> None:
        """See Store; the connection is this thread's own."""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _expect(cursor: CursorWrapper, count: int, table: str) -> None:
    if cursor.rowcount != count:
        raise Conflict(f"{count - cursor.rowcount} of {count} rows of {table} were written by somebody else.")


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
    return f"SELECT t.body FROM json_each(%s) AS k CROSS JOIN {table} AS t ON {' AND '.join(parts)}"  # noqa: S608


@cache
def _save_sql(table: str, key: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    return (
        f"{_insert_sql(table, columns)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes} "
        f"WHERE {table}.revision = excluded.revision - 1"
    )


@cache
def _save_runs_sql(table: str) -> str:
    columns = tuple(name for name, _ in RUN_COLUMNS)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != "run_id")
    return (
        f"{_insert_sql(table, columns)} ON CONFLICT (run_id) DO UPDATE SET {changes} "
        f"WHERE {table}.revision < excluded.revision"
    )


@cache
def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608
