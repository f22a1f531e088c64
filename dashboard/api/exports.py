"""API call: events of one run or of a stretch of time as a file, streamed."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final, cast

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from dashboard.api.problems import Problem
from dashboard.api.root import access, api
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.eventexport import as_csv, as_json, rows
from dashboard.models.tenancy import Tenants, limited_to, visible_tenants
from dashboard.permissions import may_export, require

AT_ONCE: Final = 200
TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}


@api.get("exports/events", response={200: None}, tags=["records"])
def export_events(
    request: HttpRequest,
    format: str = "csv",  # noqa: A002  (the query's own word)
    run: str = "",
    type: str = "",  # noqa: A002
    since: datetime | None = None,
    until: datetime | None = None,
) -> HttpResponseBase:
    """Events as `format=csv` or `json` (one object a line), with payloads as masking leaves them. Parquet is written
    by `manage.py export_events`. Each export is entered in the audit trail."""
    who = access(request)
    if not who.allows("read"):
        raise Problem(403, "scope", "This token's scope does not hold `read`.")
    require(who.user, may_export)
    if format not in TYPES:
        raise Problem(400, "bad_query", f"format={format} is not known; there are {', '.join(TYPES)}.")
    for instant in (since, until):
        if instant is not None and instant.tzinfo is None:
            raise Problem(400, "bad_query", "since and until need a time zone, for instance 2026-05-01T13:00:00Z.")
    asked: dict[str, Any] = {"run_id": run, "types": type}
    enter(voter_of(cast("User", who.user)), "events.exported", f"run/{run}", {"format": format, **asked})
    found = rows(**asked, since=_microseconds(since), until=_microseconds(until))
    lines = as_csv(found) if format == "csv" else as_json(found)
    answer = StreamingHttpResponse(_streamed(lines, visible_tenants()), content_type=TYPES[format])
    ending = "csv" if format == "csv" else "ndjson"
    answer.headers["Content-Disposition"] = f'attachment; filename="lineside-events.{ending}"'
    return answer


async def _streamed(lines: Iterator[str], tenants: Tenants) -> AsyncIterator[str]:
    """The lines, some at once. They are made after the request has ended, and with it the limit to its tenants; so
    each step is limited by itself."""

    def some() -> str:
        with limited_to(lambda: tenants):
            return "".join(islice(lines, AT_ONCE))

    while text := await sync_to_async(some)():
        yield text


def _microseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1_000_000)


export_events.capability = may_export  # type: ignore[attr-defined]  # for `dashboard.routes`
