"""Schemas: the catalogue of event types, what was read of each version, what nobody declared, what fails."""

from collections import defaultdict
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from coordination.events import CATALOGUE, EventType
from coordination.schema_files import FOLDER, versions
from dashboard.clock import database_now
from dashboard.manifest import manifest
from dashboard.models import Rejected, TypeCount
from dashboard.permissions import may_see_schemas, needs
from dashboard.views.page import page

SIGNS: Final = {
    "failing": ("failed", "some are rejected"),
    "unknown": ("unknown", "not declared"),
    "read": ("done", "read"),
    "unread": ("waiting", "not met yet"),
}
ORDER: Final = list(SIGNS)
LATEST: Final = 8


@require_safe
@needs(may_see_schemas)
def schemas(request: HttpRequest) -> HttpResponse:
    """One row a type; failing ones first, then those nobody declared."""
    counts: dict[str, list[TypeCount]] = defaultdict(list)
    for count in TypeCount.objects.order_by("version"):
        counts[count.type].append(count)
    rows = [_declared(entry, counts.pop(entry.type, [])) for entry in CATALOGUE.values()]
    rows += [_row(kind, found, known=False) for kind, found in counts.items()]
    rows.sort(key=lambda row: (ORDER.index(row["state"]), not row["records"], row["name"]))
    return page(
        request,
        "schemas.html",
        "schemas",
        now=database_now(),
        types=rows,
        declared=len(CATALOGUE),
        tally={state: sum(row["state"] == state for row in rows) for state in ORDER},
        rejected=Rejected.objects.order_by("-at").defer("record")[:LATEST],
    )


def _declared(entry: EventType, counts: list[TypeCount]) -> dict[str, Any]:
    row = _row(entry.type, counts, known=True)
    declared = [f"{one.major}.{one.minor}" for one in versions(FOLDER / entry.name)]
    topic = manifest().topic_for(entry.name)
    fields = [field.encode_name for field in msgspec.structs.fields(entry.schema)]
    return row | {"name": entry.name, "kind": entry.kind, "topic": topic, "declared": declared, "fields": fields}


def _row(kind: str, counts: list[TypeCount], *, known: bool) -> dict[str, Any]:
    records, rejected = sum(each.records for each in counts), sum(each.rejected for each in counts)
    state = "failing" if rejected else "unknown" if not known else "read" if records else "unread"
    of_version: dict[str, int] = defaultdict(int)
    for each in counts:
        of_version[each.version] += each.records
    return {
        "name": kind,
        "kind": "",
        "topic": "",
        "declared": [],
        "fields": [],
        "state": state,
        "sign": {"sign": SIGNS[state][0], "label": SIGNS[state][1]},
        "records": records,
        "rejected": rejected,
        "versions": [(version, count) for version, count in sorted(of_version.items()) if count],
        "last_at": max((each.last_at for each in counts), default=None),
    }
