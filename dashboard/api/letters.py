"""API call about records that went wrong."""

from typing import Any

from django.http import HttpRequest

from dashboard.api.letterlist import letter_page
from dashboard.api.paging import size
from dashboard.api.recordshapes import LetterPage
from dashboard.api.root import allowed, api
from dashboard.clock import database_now
from dashboard.permissions import may_see_letters


@api.get("rejected", response=LetterPage, tags=["records"])
@allowed(may_see_letters)
def rejected(
    request: HttpRequest, query: str = "", cursor: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Rejected and dead-lettered records, newest first. `query` is a query line:
    `kind:dead agent:coder error:timeout age<1d`. Payloads are in `records/{topic}/{partition}/{offset}`."""
    return letter_page(query, cursor, size(limit), database_now())
