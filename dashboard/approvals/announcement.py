"""Telling every open page that an approval changed: the queue's row and its receipt, once the change is committed."""

from functools import partial
from typing import Any

from dashboard import outbox
from dashboard.api.queue import rows_of
from dashboard.clock import database_now
from dashboard.live import publish, wanted
from dashboard.models import Request


def announce(approval_id: str) -> None:
    """Publish the row of an approval after the commit of the transaction under way."""
    outbox.after_commit(partial(tell, [approval_id]))


def tell(approval_ids: list[str]) -> None:
    """Publish the rows of these approvals now, to the queue and to the pages of their runs that are open."""
    found = [row for row in Request.objects.filter(approval_id__in=approval_ids) if _watched(row.run_id)]
    rows = rows_of(found, database_now())
    if rows:
        publish("approvals", rows)
    by_run: dict[str, list[dict[str, Any]]] = {}
    for request, row in zip(found, rows, strict=True):
        by_run.setdefault(request.run_id, []).append(row)
    for run_id, of_run in by_run.items():
        publish(f"run:{run_id}", of_run)


def _watched(run_id: str) -> bool:
    return wanted("approvals") or wanted(f"run:{run_id}")
