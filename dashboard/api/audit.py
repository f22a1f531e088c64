"""API call about the audit trail."""

from typing import Any

from django.http import HttpRequest
from ninja import Schema

from dashboard.api.auditfilter import audit_entries
from dashboard.api.paging import cursor as cursor_of
from dashboard.api.paging import page, position, size
from dashboard.api.root import allowed, api
from dashboard.auditlist import rows
from dashboard.clock import database_now
from dashboard.permissions import may_see_audit


class AuditEntry(Schema):
    """One entry. Its digest is SHA-256 over the canonical JSON of [number, at_us, actor, act, subject, detail,
    previous], all as text, `detail` in canonical JSON itself."""

    number: int
    at: str
    at_us: int
    actor: str
    actor_name: str
    act: str
    subject: str
    detail: dict[str, Any]
    previous: str
    digest: str
    anchored: bool


class AuditPage(Schema):
    """Entries, newest first."""

    items: list[AuditEntry]
    next: str | None


@api.get("audit", response=AuditPage, tags=["audit"])
@allowed(may_see_audit)
def audit(request: HttpRequest, query: str = "", cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
    """The trail, newest first. `query` is the query line of the audit page: `act:approval.*`, `who:ana`, `run:r-1`,
    `task:t-1`, `approval:a-1`, `about:approval/*`, `number:7`, `age<1d`, and words."""
    found, most, key = audit_entries(query, database_now()), size(limit), position(cursor, int)
    if key is not None:
        found = found.filter(number__lt=key[0])
    items = list(rows(found[: most + 1]))
    following = cursor_of(items[most - 1]["number"]) if len(items) > most else None
    return page(items, most, following)
