"""Candidate decisive steps of a run that something else recorded, as rows: where to look first, never a verdict."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from coordination.suspects import suspects
from dashboard.api.eventlist import event_row
from dashboard.events import in_log_order, records_of_run
from dashboard.models import Run, RunPart

# Records of a run that are looked at; of a longer one its last steps are not seen, and the list says so.
SEARCHED: Final = 20_000


def foreign(run: Run, parts: Iterable[RunPart] = ()) -> bool:
    """Whether a run was recorded by something else: its times are derived, it never spoke for itself, or most of
    what it says is of types that nobody here knows."""
    return run.derived_times or run.inferred or any('"unknown_events"' in part.body for part in parts)


def suspect_page(run: Run) -> dict[str, Any]:
    """The candidates, most suspect first, each with its reasons and its record."""
    events = in_log_order(islice(records_of_run(run.run_id), SEARCHED))
    return {
        "items": [
            event_row(one.event) | {"score": one.score, "reasons": list(one.reasons), "rank": rank}
            for rank, one in enumerate(suspects(events), start=1)
        ],
        "next": None,
        "complete": run.events <= SEARCHED,
    }
