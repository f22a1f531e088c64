"""An edit while it is written: what it changes, and whether the agent's schema allows it. Nothing is saved."""

from typing import Any

import msgspec

from dashboard.api.argdiff import difference
from dashboard.api.argtext import NotArguments, read
from dashboard.api.queue import request_of, rows_of
from dashboard.api.reviewpage import whole_action
from dashboard.approvals.clicks import misfit
from dashboard.clock import database_now
from dashboard.models import Request, Vote


def edit_of(found: Request, text: str) -> dict[str, Any]:
    """{changes, wrong}: the structural difference to what would run now, or why the text cannot be."""
    request = request_of(found)
    action = whole_action(request)
    try:
        args = read(text)
    except NotArguments as error:
        return {"changes": [], "wrong": str(error)}
    now = _would_run(found, action)
    changes = [msgspec.structs.asdict(change) for change in difference(now, args).changes]
    return {"changes": changes, "wrong": misfit(action.get("args_schema"), args)}


def _would_run(found: Request, action: dict[str, Any]) -> Any:
    """The arguments in force: those of the last edit of this round, else those that were asked for."""
    current = rows_of([found], database_now())[0]["content_hash"]
    edits = Vote.objects.filter(approval_id=found.approval_id, version=found.version, verdict="edit", args_hash=current)
    edit = edits.order_by("-at").first()
    return edit.args if edit else action.get("args")
