"""The audit trail, newest first: who did what when, each entry chained to the one before it."""

from typing import Any, Final

import msgspec
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse

from dashboard.api.auditfilter import audit_entries
from dashboard.audit import first_broken
from dashboard.clock import database_now
from dashboard.models import Audit
from dashboard.permissions import may_see_audit, needs
from dashboard.views.page import asked, page

PAGE: Final = 100


@needs(may_see_audit)
def audit(request: HttpRequest) -> HttpResponse:
    """One page of entries and whether their chain holds; the whole chain is checked by `verify_audit`."""
    query, now = request.GET.get("query", "").strip(), database_now()
    found, wrong = asked(query, lambda: audit_entries(query, now), Audit.objects.none())
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(number__lt=int(before))
    entries = list(found[: PAGE + 1])
    shown = entries[:PAGE]
    names = _names({entry.actor for entry in shown})
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
    )


def _names(actors: set[str]) -> dict[str, str]:
    """User names behind the opaque ids of the trail; an id without a user stays as it is."""
    ids = {int(actor.removeprefix("user-")) for actor in actors if actor.removeprefix("user-").isdecimal()}
    return {f"user-{user.pk}": user.get_username() for user in get_user_model().objects.filter(pk__in=ids)}


def _shown(entry: Audit, names: dict[str, str]) -> dict[str, Any]:
    detail: dict[str, Any] = msgspec.json.decode(entry.detail)
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": names.get(entry.actor, entry.actor),
        "actor_id": entry.actor,
        "act": entry.act,
        "subject": entry.subject,
        "detail": ", ".join(f"{name} {value}" for name, value in detail.items() if value not in ("", None, [], {})),
        "digest": entry.digest,
    }


def _broken(shown: list[Audit]) -> str:
    """What is wrong with the chain of the entries on this page; empty if it holds."""
    ordered = shown[::-1]
    link = first_broken(ordered, after=ordered[0].previous, number=ordered[0].number)
    return "" if link is None else link.reason
