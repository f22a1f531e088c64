"""What is in the tables, to compare with another way to get there: rows without the bookkeeping of ingest."""

from typing import Any

import msgspec

from coordination.envelope import Decoder
from coordination.eventlog import StoredRecord
from coordination.manifest import Manifest
from coordination.projection import Layout, Rows, fold
from dashboard.ingest.tables import AGENTS, FAN_OUTS, FOLD_PARTS, REQUESTS, RUN_PARTS, TASKS
from dashboard.models import Agent, FanOut, FoldPart, Request, Run, RunPart, Segment, Task
from dashboard.segments import unpack

COORD = Manifest()
SUMMARY = tuple(field.name for field in Run._meta.local_concrete_fields)
MODELS = (
    (TASKS, Task),
    (RUN_PARTS, RunPart),
    (FOLD_PARTS, FoldPart),
    (FAN_OUTS, FanOut),
    (REQUESTS, Request),
    (AGENTS, Agent),
)


def rows_in_tables() -> dict[tuple, object]:
    """All rows of the read model by table and key, revisions aside."""
    found = {}
    for table, model in MODELS:
        for body in model.objects.values_list("body", flat=True):
            row = msgspec.json.decode(body, type=table.row)
            row.revision = 0
            found[table.name, table.key_of(row)] = row
    return found


def summaries() -> dict[str, dict[str, Any]]:
    """The summaries of all runs by run, revisions aside."""
    return {row["run_id"]: row for row in Run.objects.values(*(set(SUMMARY) - {"revision"}))}


def rows_of_fold(records: list[StoredRecord], manifest: Manifest = COORD) -> dict[tuple, object]:
    """The same out of one fold in memory over all records."""
    decoder, rows = Decoder(manifest), Rows(Layout(manifest.family_of))
    fold(rows, [decoder.decode(record) for record in records])
    kept = (rows.tasks, rows.run_parts, rows.fold_parts, rows.fan_outs, rows.requests, rows.agents)
    found = {}
    for (table, _), mapping in zip(MODELS, kept, strict=True):
        for row in mapping.values():
            row.revision = 0
            found[table.name, table.key_of(row)] = row
    return found


def stored_records() -> list[StoredRecord]:
    """Everything that is in segments, in the order it was written."""
    return [
        record
        for dictionary, blob in Segment.objects.order_by("id").values_list("dictionary_id", "blob")
        for record in unpack(dictionary, bytes(blob))
    ]
