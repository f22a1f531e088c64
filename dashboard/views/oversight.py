"""What was decided, by whom and what became of it; and how people decide."""

from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dashboard.api.oversight import oversight as figures
from dashboard.api.queue import rows_of
from dashboard.clock import database_now
from dashboard.models import Approval, Request
from dashboard.permissions import may_see_approvals, may_see_oversight, needs
from dashboard.views.page import page

PAGE: Final = 100


@require_safe
@needs(may_see_approvals)
def decided(request: HttpRequest) -> HttpResponse:
    """Everything that has ended, newest first: decided, expired, withdrawn, each with the reason."""
    now, query = database_now(), request.GET.get("query", "").strip()
    found = Approval.objects.exclude(state=Approval.State.PENDING).exclude(decided_at=None).order_by("-decided_at")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        found = found.filter(decided_at__lt=int(before))
    for word in query.split()[:5]:
        found = found.filter(
            Q(agent_group__icontains=word) | Q(decided_by__icontains=word) | Q(state__icontains=word)
            | Q(approval_id__icontains=word) | Q(run_id__icontains=word) | Q(reason__icontains=word)
        )  # fmt: skip
    ended = list(found[: PAGE + 1])
    return page(
        request,
        "decided.html",
        "approvals",
        now=now,
        query=query,
        rows=_rows(ended[:PAGE], now),
        older=ended[PAGE - 1].decided_at if len(ended) > PAGE else None,
    )


def _rows(ended: list[Approval], now: int) -> list[dict[str, Any]]:
    requests = Request.objects.filter(approval_id__in=[each.approval_id for each in ended])
    rows = {row["id"]: row for row in rows_of(requests, now)}
    return [
        rows[each.approval_id] | {"by": each.decided_by, "at": each.decided_at, "reason": each.reason}
        for each in ended
        if each.approval_id in rows
    ]


@require_safe
@needs(may_see_oversight)
def oversight(request: HttpRequest) -> HttpResponse:
    """How long requests wait, what people make of them, how closely they look."""
    now, days = database_now(), request.GET.get("days", "")
    span = int(days) if days in ("1", "7", "30", "90") else 30
    return page(request, "oversight.html", "approvals", now=now, found=figures(now, span), spans=(1, 7, 30, 90))
