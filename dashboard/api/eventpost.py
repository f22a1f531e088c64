"""API call that appends: events over HTTP, for agents that cannot reach the log.

With `logrouter` it is the one place of the API that talks to the log; everything else reads the tables.
"""

from collections.abc import Sequence
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from coordination.errors import RecordTooLarge
from coordination.eventlog import NewRecord
from coordination.httpbinding import from_http
from dashboard.api.problems import Problem
from dashboard.api.recordshapes import PlacedPage
from dashboard.api.root import access, api, written
from dashboard.api.tokens import open_to_agents
from dashboard.eventlog import open_eventlog
from dashboard.manifest import manifest
from dashboard.models import Run
from dashboard.permissions import Person, may_append, require, tenants_of

EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "description": "A CloudEvent; attributes as in the protocol.",
}
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The CloudEvents HTTP binding: binary (attributes in `ce-` headers), structured, or batch.",
        "content": {
            "application/json": {"schema": {"description": "Binary mode: the data."}},
            "application/cloudevents+json": {"schema": EVENT},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": EVENT, "maxItems": 1000}},
        },
    }
}


@api.post("events", response={202: PlacedPage}, tags=["records"], openapi_extra=BODY)
async def post_events(request: HttpRequest) -> HttpResponse:
    """Append events. 202 with the position of each, in their order; 400 or 422 naming the bad attribute, and then
    nothing is appended."""
    who = access(request)
    if not who.allows("events"):
        raise Problem(403, "scope", "This token's scope does not hold `events`.")
    await sync_to_async(require)(who.user, may_append)
    records = from_http(request.headers.items(), _body(request), manifest=manifest())
    closed = next((record.topic for record in records if not open_to_agents(record.topic, write=True)), None)
    if closed is not None:
        raise Problem(403, "topic_denied", f"Events of this type live on {closed}, which only the dashboard writes.")
    await sync_to_async(_within_tenants)(who.user, records)
    placed = await open_eventlog().append(records)
    items = [{"topic": each.topic, "partition": each.partition, "offset": each.offset} for each in placed]
    return written({"items": items}, 202)


def _within_tenants(person: Person, records: Sequence[NewRecord]) -> None:
    """Refuse events of other tenants, and events of ours that join a run of theirs. Raises Problem 403."""
    tenants = tenants_of(person)
    if tenants is None:
        return
    for record in records:
        given = {name.lower(): value.decode(errors="replace") for name, value in record.headers}
        named = given.get("ce_tenant") or settings.LINESIDE_TENANT
        if named not in tenants:
            raise Problem(403, "tenant_denied", f"You may not append events of tenant {named}.")
        run_id = given.get("ce_correlationid", "")
        # All runs, not only those this person sees: a run of somebody else must not be joined, nor its id reveal it.
        if Run.everybody.filter(run_id=run_id).exclude(tenant__in=tenants).exists():
            raise Problem(403, "tenant_denied", "This run belongs to another tenant; choose another run id.")


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        raise RecordTooLarge(f"{error} Send smaller batches.") from error
