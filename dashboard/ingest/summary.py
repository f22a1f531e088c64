"""The summary of a run, derived from its parts whenever one of them was written.

It is never a source: it can be thrown away and derived again. Its revision is the sum of its parts' revisions,
which grows with each of them, so a summary made of older parts never replaces one made of newer.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from coordination.runs import RunPart, merge_parts
from dashboard.models import Run

RUNS: Final = "dashboard_run"
# The largest bigint: a sum that no column can hold must not keep the rest of a run from being shown.
MOST: Final = 2**63 - 1
RUN_COLUMNS: Final = (
    ("run_id", "text"),
    ("tenant", "text"),
    ("name", "text"),
    ("workflow", "text"),
    ("state", "text"),
    ("started_at", "bigint"),
    ("ended_at", "bigint"),
    ("first_at", "bigint"),
    ("last_at", "bigint"),
    ("counts", "jsonb"),
    ("total", "integer"),
    ("events", "bigint"),
    ("tokens", "bigint"),
    ("cost", "bigint"),
    ("first_cause", "jsonb"),
    ("inferred", "boolean"),
    ("derived_times", "boolean"),
    ("revision", "bigint"),
)


def run_values(parts: Sequence[RunPart]) -> tuple[Any, ...]:
    """The values of RUN_COLUMNS of a run from all of its parts; JSON as text."""
    run = merge_parts(parts)
    return (
        run.run_id,
        run.tenant,
        run.name,
        run.workflow,
        run.state,
        run.started_at,
        run.ended_at,
        run.first_at,
        run.last_at,
        msgspec.json.encode(run.counts).decode(),
        run.total,
        run.events,
        min(run.tokens_in + run.tokens_out, MOST),
        min(run.cost, MOST),
        msgspec.json.encode(run.first_cause).decode() if run.first_cause else "{}",
        run.inferred,
        run.derived_times,
        sum(part.revision for part in parts),
    )


def run_of(values: Sequence[Any]) -> Run:
    """The run that `run_values` wrote, as the model, without asking the database."""
    fields = dict(zip((name for name, _ in RUN_COLUMNS), values, strict=True))
    for name, kind in RUN_COLUMNS:
        if kind == "jsonb":
            fields[name] = msgspec.json.decode(fields[name])
    return Run(**fields)
