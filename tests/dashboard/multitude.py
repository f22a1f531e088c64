"""Many rows for tests, made of few: what is in the tables is copied so many times, under other ids and positions.

The copies are as alike as no real rows are, but each index holds as many entries, and each table as many pages. What
grows with time is over: copies of runs have ended, those of dead letters are settled.
"""

from collections.abc import Mapping
from typing import Final

from django.db import connection, models

from dashboard.models import (
    Approval,
    Batch,
    DeadLetter,
    Duplicate,
    EventKey,
    FanOut,
    FoldPart,
    Rejected,
    Request,
    Run,
    RunPart,
    Segment,
    Stretch,
    Task,
)

# Which columns tell a copy from its original: ids get a suffix, numbers move on.
OVER: Final = {Run: ("state", "completed"), DeadLetter: ("state", "discarded")}
IDS: Final = ("run_id", "task_id", "approval_id")
LATER: Final = ("first_at", "last_at", "started_at", "requested_at", "at")
STEP: Final = 1_000_000
FAR: Final = 1 << 40
Copies = Mapping[type[models.Model], tuple[str, ...]]
# Model -> number columns that must not repeat.
KINDS: Final[Copies] = {
    Run: (),
    RunPart: (),
    FoldPart: (),
    Task: ("command_offset",),
    FanOut: (),
    Request: (),
    Approval: (),
    Batch: ("id",),
    Segment: ("id",),
    Stretch: ("first_offset", "last_offset", "batch_id"),
    EventKey: ("key",),
    Duplicate: ("offset",),
    DeadLetter: ("offset",),
    Rejected: ("offset",),
}


def multiply(times: int) -> None:
    """Copy the rows of the large tables so many times; the planner then knows of it."""
    with connection.cursor() as cursor:
        for model, moving in KINDS.items():
            cursor.execute(_statement(model, moving, times))
        cursor.execute("ANALYZE")


def sizes() -> dict[str, int]:
    """How many rows each of these tables has."""
    return {model._meta.db_table: model._default_manager.count() for model in KINDS}


def _statement(model: type[models.Model], moving: tuple[str, ...], times: int) -> str:
    copied = [field for field in model._meta.concrete_fields if field.column and not _is_own_id(field, moving)]
    names = ", ".join(f'"{field.column}"' for field in copied)
    column, word = OVER.get(model, ("", ""))
    values = ", ".join(f"'{word}'" if field.column == column else _value(field.column, moving) for field in copied)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({names}) WITH RECURSIVE copies(n) AS "
        f"(SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {times}), originals AS (SELECT * FROM {table}) "
        f"SELECT {values} FROM originals AS t, copies"
    )


def _is_own_id(field: models.Field, moving: tuple[str, ...]) -> bool:  # type: ignore[type-arg]
    return isinstance(field, models.AutoField) and field.column not in moving


def _value(column: str, moving: tuple[str, ...]) -> str:
    name = f't."{column}"'
    if column in IDS:
        return f"CASE WHEN {name} = '' THEN '' ELSE {name} || '-' || n END"
    if column in moving:
        return f"{name} + n * {FAR}"
    return f"{name} + n * {STEP}" if column in LATER else name
