"""The statements that load and write rows on PostgreSQL, and what has to be done to text before it goes there."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from dashboard.ingest.summary import RUN_COLUMNS

# Bytes travel as base64. Bodies of text travel as quoted text: as JSON inside JSON the server would refuse one that
# holds an escaped NUL.
_TRAVELS: Final = {"bytea": "text"}
_UNPACKED: Final = {"bytea": "decode(r.{}, 'base64')"}


def without_nul(values: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's text cannot hold NUL; the body keeps it, as JSON's escape."""
    return {name: _cleaned(value) for name, value in values.items()}


def without_escaped_nul(json: str) -> str:
    """The same for JSON that is stored as jsonb, which cannot hold it either."""
    if "\\u0000" not in json:
        return json
    return msgspec.json.encode(_cleaned(msgspec.json.decode(json))).decode()


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


@cache
def load_rows(table: str, key: tuple[str, ...], lock: bool) -> Composed:
    """The bodies of rows by key: one array for each column of the key."""
    names = [Identifier(name) for name in key]
    return SQL("SELECT t.body FROM unnest({arrays}) AS k({names}) JOIN {table} AS t USING ({names}){lock}").format(
        arrays=SQL(", ").join([SQL("%s::text[]")] * len(key)),
        names=SQL(", ").join(names),
        table=Identifier(table),
        lock=SQL(" ORDER BY {} FOR UPDATE OF t").format(SQL(", ").join(SQL("t.") + name for name in names))
        if lock
        else SQL(""),
    )


@cache
def load_parts(table: str) -> Composed:
    """All parts of runs but those of some shards: parameters run ids and shards."""
    return SQL(
        "SELECT p.body FROM unnest(%s::text[]) AS k(run_id) JOIN {} AS p USING (run_id) "
        "WHERE p.shard <> ALL(%s::text[])"
    ).format(Identifier(table))


@cache
def forget_rows(table: str, key: tuple[str, ...]) -> Composed:
    """Delete rows by key: one array for each column of the key."""
    return SQL("DELETE FROM {table} AS t USING unnest({arrays}) AS k({names}) WHERE ({ours}) = ({theirs})").format(
        table=Identifier(table),
        arrays=SQL(", ").join([SQL("%s::text[]")] * len(key)),
        names=SQL(", ").join(Identifier(name) for name in key),
        ours=SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in key),
        theirs=SQL(", ").join(SQL("k.{}").format(Identifier(name)) for name in key),
    )


@cache
def save_rows(table: str, key: tuple[str, ...], columns: tuple[tuple[str, str], ...]) -> Composed:
    """Write rows out of one JSON text, each only over the revision before its own."""
    return _upsert(table, key, columns) + SQL(" WHERE {}.revision = excluded.revision - 1").format(Identifier(table))


@cache
def save_runs(table: str) -> Composed:
    """Write run summaries out of one JSON text, unless a newer one is there."""
    newer = SQL(" WHERE {}.revision < excluded.revision").format(Identifier(table))
    return _upsert(table, ("run_id",), RUN_COLUMNS) + newer


def _upsert(table: str, key: Sequence[str], columns: Sequence[tuple[str, str]]) -> Composed:
    names = [Identifier(name) for name, _ in columns]
    return SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM json_to_recordset({rows}::json) AS r({typed}) "
        "ON CONFLICT ({key}) DO UPDATE SET {changes}"
    ).format(
        table=Identifier(table),
        names=SQL(", ").join(names),
        values=SQL(", ").join(SQL(_UNPACKED.get(kind, "r.{}")).format(Identifier(name)) for name, kind in columns),
        rows=Placeholder(),
        typed=SQL(", ").join(
            SQL("{} {}").format(Identifier(name), SQL(_TRAVELS.get(kind, kind))) for name, kind in columns
        ),
        key=SQL(", ").join(Identifier(name) for name in key),
        changes=SQL(", ").join(
            SQL("{name} = excluded.{name}").format(name=Identifier(name)) for name, _ in columns if name not in key
        ),
    )
