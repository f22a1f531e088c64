"""The store on PostgreSQL: one statement per table and batch, sent without waiting for the one before.

Rows travel as one JSON text and are unpacked by the server, which was the quickest of the ways tried that can
also update. Shards are locked by their rows, so several workers write side by side.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
import psycopg
from django.db import Error, connection

from coordination.runs import RunPart
from dashboard.ingest.store import Advance, Conflict, SegmentRow, StretchRow
from dashboard.ingest.summary import RUN_COLUMNS, RUNS
from dashboard.ingest.tables import FOLD_PARTS, RUN_PARTS, Table
from dashboard.ingest.upserts import (
    forget_rows,
    load_parts,
    load_rows,
    save_rows,
    save_runs,
    without_escaped_nul,
    without_nul,
)
from dashboard.models.body import pack_body, unpack_body

Row = TypeVar("Row")
# Every lookup here is by primary key. Left to itself the planner reads whole tables while they are small or
# its statistics are old, and it keeps such a plan for statements that are prepared once.
PLANNER: Final = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


class _Sent(NamedTuple):
    """A statement that was sent; it must change `expected` rows of `table`, None: any number."""

    cursor: "psycopg.Cursor[Any]"
    expected: int | None
    table: str


class PostgresStore:
    """See `dashboard.ingest.store.Store`."""

    summaries_inside = False

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._sent: list[_Sent] = []
        self._pipeline: AbstractContextManager[Any] | None = None

    def open(self) -> None:
        """See Store."""
        self._sent, self._pipeline = [], None
        connection.ensure_connection()
        with connection.cursor() as cursor:
            for setting in PLANNER:
                cursor.execute(f"SET {setting} = off")

    def lock(self, leases: Mapping[str, int]) -> set[str]:
        """See Store."""
        rows = self._ask(
            "SELECT shard, epoch FROM dashboard_shard WHERE shard = ANY(%s) ORDER BY shard FOR NO KEY UPDATE",
            [list(leases)],
        )
        return {shard for shard, epoch in rows if leases[shard] == epoch}

    def new_batch(self, worker: str, read_at: int, records: int) -> int:
        """See Store."""
        ((batch_id,),) = self._ask(
            "INSERT INTO dashboard_batch (worker, read_at, records) VALUES (%s, %s, %s) RETURNING id",
            [worker, read_at, records],
        )
        return int(batch_id)

    def enter_keys(self, keys: Sequence[int], offsets: Sequence[int]) -> Mapping[int, int] | None:
        """See Store."""
        cursor = self._run(
            'INSERT INTO dashboard_eventkey ("key", "offset") '
            "SELECT * FROM unnest(%s::bigint[], %s::bigint[]) ON CONFLICT DO NOTHING",
            [_integers(keys), _integers(offsets)],
        )
        if cursor.rowcount == len(keys):
            return None
        rows = self._ask(
            'SELECT e."key", e."offset" FROM unnest(%s::bigint[]) AS k("key") '
            'JOIN dashboard_eventkey AS e USING ("key")',
            [_integers(keys)],
        )
        return dict(rows)

    def load(self, table: Table[Row], keys: Iterable[Any], *, lock: bool = False) -> list[Row]:
        """See Store."""
        wanted = list(keys)
        columns = [list(column) for column in zip(*wanted, strict=True)] if len(table.key) > 1 else [wanted]
        rows = self._ask(load_rows(table.name, table.key, lock), columns)
        decode = _decoder(cast(Any, table.row)).decode
        if table.packed:
            return [decode(unpack_body(body)) for (body,) in rows]
        return [decode(body) for (body,) in rows]

    def load_parts(self, run_ids: Sequence[str], besides: Sequence[str] = ()) -> list[RunPart]:
        """See Store."""
        rows = self._ask(load_parts(RUN_PARTS.name), [list(run_ids), list(besides)])
        return [_decoder(RunPart).decode(body) for (body,) in rows]

    def save(self, table: Table[Row], rows: Sequence[Row]) -> None:
        """See Store."""
        encode, values = self._encoder.encode, table.values
        names = [name for name, _ in table.all_columns]
        bodies = [pack_body(encode(row)) if table.packed else encode(row).decode() for row in rows]
        objects = [
            dict(zip(names, (*values(row), row.revision, body), strict=True))  # type: ignore[attr-defined]
            for row, body in zip(rows, bodies, strict=True)
        ]
        self._send(
            save_rows(table.name, table.key, table.all_columns),
            [self._text(objects)],
            len(rows),
            table.name,
        )

    def save_runs(self, runs: Sequence[tuple[Any, ...]]) -> None:
        """See Store."""
        names = [name for name, _ in RUN_COLUMNS]
        raw = [number for number, (_, kind) in enumerate(RUN_COLUMNS) if kind == "jsonb"]
        objects = []
        for run in runs:
            values = list(run)
            for number in raw:
                values[number] = msgspec.Raw(without_escaped_nul(values[number]))
            objects.append(dict(zip(names, values, strict=True)))
        self._send(save_runs(RUNS), [self._text(objects)])

    def forget_folds(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """See Store."""
        self._send(
            forget_rows(FOLD_PARTS.name, FOLD_PARTS.key),
            [list(column) for column in zip(*keys, strict=True)],
        )

    def add_segments(self, segments: Sequence[SegmentRow], stretches: Sequence[StretchRow]) -> None:
        """See Store."""
        if segments:
            self._send(
                f"INSERT INTO dashboard_segment ({', '.join(SegmentRow._fields)}) SELECT * FROM unnest(%s::bigint[], "  # noqa: S608  # nosec B608
                "%s::text[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %b::bytea[])",
                [list(column) for column in zip(*segments, strict=True)],
            )
        if stretches:
            self._send(
                f"INSERT INTO dashboard_stretch ({', '.join(StretchRow._fields)}) "  # our own names  # noqa: S608  # nosec B608
                "SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[])",
                [list(column) for column in zip(*stretches, strict=True)],
            )

    def advance(self, positions: Sequence[Advance]) -> None:
        """See Store."""
        if not positions:
            return
        self._send(
            "UPDATE dashboard_position AS p SET next_offset = k.next_offset, records = p.records + k.records, "
            "last_at = coalesce(k.last_at, p.last_at), head = coalesce(nullif(k.head, ''), p.head) "
            "FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) "
            "AS k(topic, partition, expected, next_offset, records, last_at, head) "
            "WHERE p.topic = k.topic AND p.partition = k.partition AND p.next_offset = k.expected",
            [
                [move.partition.topic for move in positions],
                [move.partition.partition for move in positions],
                [move.expected for move in positions],
                [move.next_offset for move in positions],
                [move.records for move in positions],
                [move.last_at for move in positions],
                [move.head for move in positions],
            ],
            len(positions),
            "dashboard_position",
        )

    def settle(self) -> None:
        """See Store."""
        self._leave_pipeline()
        sent, self._sent = self._sent, []
        for one in sent:
            if one.expected is not None and one.cursor.rowcount != one.expected:
                missing = one.expected - one.cursor.rowcount
                raise Conflict(f"{missing} of {one.expected} rows of {one.table} were written by somebody else.")

    def discard(self) -> None:
        """See Store. Leaving the pipeline raises what its statements met, which is not news any more."""
        with suppress(Error):
            self._leave_pipeline()
        self._sent = []

    def close(self) -> None:
        """See Store; the connection may go back to a pool."""
        with connection.cursor() as cursor:
            for setting in PLANNER:
                cursor.execute(f"RESET {setting}")

    def _leave_pipeline(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            with _as_django_errors():
                pipeline.__exit__(None, None, None)

    def _text(self, objects: Sequence[dict[str, Any]]) -> str:
        text = self._encoder.encode(objects)
        if b"\\u0000" in text:
            text = self._encoder.encode([without_nul(one) for one in objects])
        return text.decode()

    def _send(self, query: Any, params: Sequence[Any], expected: int | None = None, table: str = "") -> None:
        """Send a statement of the writing half; its answer is looked at by `settle`."""
        if self._pipeline is None:
            self._pipeline = _raw().pipeline()
            self._pipeline.__enter__()
        with _as_django_errors():
            self._sent.append(_Sent(self._run(query, params), expected, table))

    def _run(self, query: Any, params: Sequence[Any]) -> "psycopg.Cursor[Any]":
        cursor = psycopg.Cursor(_raw())
        with _as_django_errors():
            return cursor.execute(query, params, prepare=True)

    def _ask(self, query: Any, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        cursor = self._run(query, params)
        with _as_django_errors():
            return cursor.fetchall()


def _raw() -> "psycopg.Connection[Any]":
    # Statements with server-side parameters, prepared and pipelined: what Django's own cursor does not do.
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def _as_django_errors() -> AbstractContextManager[Any]:
    return connection.wrap_database_errors


def _integers(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


@cache
def _decoder(row: Any) -> Any:
    return msgspec.json.Decoder(row)
