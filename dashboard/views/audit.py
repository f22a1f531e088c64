"""The audit trail, newest first: who did what when, each entry chained to the one before it."""

from typing import Any, Final

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dashboard.api.auditfilter import audit_entries
from dashboard.audit import first_broken
from dashboard.auditlist import anchored, names_of, rows
from dashboard.clock import database_now
from dashboard.eventexport import as_csv
from dashboard.models import Audit
from dashboard.permissions import may_see_audit, needs
from dashboard.views.page import asked, page

PAGE: Final = 100
FIELDS: Final = (
    *("number", "at", "at_us", "actor", "actor_name", "act", "subject", "detail", "previous", "digest", "anchored"),
)


@needs(may_see_audit)
def audit(request: HttpRequest) -> HttpResponse:
    """One page of entries and whether their chain holds; the whole chain is checked by `verify_audit`."""
    query, now = request.GET.get("query", "").strip(), database_now()
    found, wrong = asked(query, lambda: audit_entries(query, now), Audit.objects.none())
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(number__lt=min(int(before), 2**62))
    entries = list(found[: PAGE + 1])
    shown = entries[:PAGE]
    names = names_of({entry.actor for entry in shown})
    return page(
        request,
        "audit.html",
        "audit",
        now=now,
        query=query,
        wrong=wrong,
        entries=[_shown(entry, names) for entry in shown],
        older=shown[-1].number if len(entries) > PAGE else None,
        broken=_broken(shown) if shown and not query else None,
        checked=bool(shown) and not query,
        last=Audit.objects.order_by("-number").values_list("number", flat=True).first(),
        head=anchored(),
    )


@require_safe
@needs(may_see_audit)
def audit_export(request: HttpRequest, ending: str) -> HttpResponse:
    """The entries a query asks for, oldest first, as CSV or JSON lines, with all that verifying them takes."""
    if ending not in ("csv", "ndjson"):
        raise Http404("The trail can be had as audit.csv and audit.ndjson.")
    query, now = request.GET.get("query", "").strip(), database_now()
    found, wrong = asked(query, lambda: audit_entries(query, now), Audit.objects.none())
    if wrong:
        raise Http404(str(wrong))
    entries = rows(found.order_by("number"))
    if ending == "csv":
        lines = as_csv(({**row, "detail": msgspec.json.encode(row["detail"]).decode()} for row in entries), FIELDS)
    else:
        lines = (msgspec.json.encode(row).decode() + "\n" for row in entries)
    answer = HttpResponse("".join(lines), content_type="text/csv" if ending == "csv" else "application/x-ndjson")
    answer.headers["Content-Disposition"] = f'attachment; filename="lineside-audit.{ending}"'
    return answer


def _shown(entry: Audit, names: dict[str, str]) -> dict[str, Any]:
    detail: dict[str, Any] = msgspec.json.decode(entry.detail)
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": names.get(entry.actor, entry.actor),
        "actor_id": entry.actor,
        "act": entry.act,
        "subject": entry.subject,
        "detail": _words(detail),
        "digest": entry.digest,
    }


def _words(value: Any) -> str:
    """A value of the detail as people read it: what is empty is left out, what is nested stands in parentheses."""
    if isinstance(value, dict):
        told = ((name, each) for name, each in value.items() if each not in ("", None, [], {}))
        return ", ".join(f"{name} {_nested(each)}" for name, each in told)
    if isinstance(value, list):
        return ", ".join(_nested(each) for each in value) if len(value) > 1 else "".join(map(_words, value))
    return str(value)


def _nested(value: Any) -> str:
    words = _words(value)
    return f"({words})" if isinstance(value, dict | list) and ", " in words else words


def _broken(shown: list[Audit]) -> str:
    """What is wrong with the chain of the entries on this page; empty if it holds."""
    ordered = shown[::-1]
    link = first_broken(ordered, after=ordered[0].previous, number=ordered[0].number)
    return "" if link is None else link.reason
