"""The queue of approvals and the review of one request. Reading is a page, deciding is a POST with CSRF."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from dashboard.api import deciding
from dashboard.api.addresses import address
from dashboard.api.askfilter import asks_in_state, decided_asks, names_a_state, open_asks, over
from dashboard.api.problems import Problem
from dashboard.api.queue import LIMIT, open_count, open_rows, urgency
from dashboard.api.reviewevidence import evidence
from dashboard.api.reviewpage import Review, note_view, review
from dashboard.clock import database_now
from dashboard.forms import DecisionForm
from dashboard.models import Request
from dashboard.notify.sending import told_of
from dashboard.permissions import may_decide, may_see_approvals, may_see_payloads, may_see_runs, needs
from dashboard.views.page import asked, one, page

CONSENT = ("approve", "edit")
Lists = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@needs(may_see_approvals)
def queue(request: HttpRequest) -> HttpResponse:
    """What must I decide? Overdue first, then risk, then due, then age."""
    query, now = request.GET.get("query", ""), database_now()
    nothing: Lists = ([], [])
    (asks, decided), wrong = asked(query, lambda: _lists(query, now), nothing)
    return page(
        request,
        "approvals.html",
        "approvals",
        now=now,
        query=query,
        wrong=wrong,
        asks=asks,
        open_asks=open_count(),
        urgency=urgency(open_rows(now) if query else asks, now),
        decided=decided,
    )


def _lists(query: str, now: int) -> Lists:
    """The queue and what is over: decided here, or in a state that the line names."""
    if names_a_state(query):
        found = asks_in_state("", query, now, LIMIT)
        return sorted((row for row in found if row["open"]), key=lambda row: row["order"]), over(found)
    return open_asks(query, now), decided_asks(query, now, 20)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(may_see_approvals)
def review_page(request: HttpRequest, approval_id: str) -> HttpResponse:
    """One request: what will change, on what evidence, and the decision."""
    found = one(Request.objects.filter(approval_id=approval_id), f"No request {approval_id} has been read.")
    now, since = database_now(), request.GET.get("from", "")
    shown = review(found, request.user, now, since=int(since) if since.isdecimal() else None)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _confirmed(form, shown):
        return _decided(request, approval_id, form.cleaned_data)
    note_view(shown, request.user)
    asks = open_rows(now)
    return page(
        request,
        "review.html",
        "approvals",
        status=422 if form.errors else 200,
        now=now,
        review=shown,
        row=shown.row,
        evidence=evidence(shown, now) if may_see_runs(request.user) else {},
        asks=asks,
        open_asks=open_count(),
        urgency=urgency(asks, now),
        form=form,
        may_see_payloads=may_see_payloads(request.user),
        may_decide=may_decide(request.user),
        told=told_of(approval_id, shown.request.version),
    )


def _confirmed(form: DecisionForm, shown: Review) -> bool:
    """What is irreversible and of high risk is decided with its name typed."""
    given, name = form.cleaned_data, shown.row["action"]["name"]
    if shown.dangerous and given["decision"] in CONSENT and given["confirm"].strip() != name:
        form.add_error("confirm", f"High risk and not reversible: type {name} to go on.")
        return False
    return True


def _decided(request: HttpRequest, approval_id: str, given: dict[str, Any]) -> HttpResponse:
    """The answer of a form without scripts: back to the page, with what happened as a banner."""
    try:
        receipt = deciding.decide(
            request.user,
            approval_id,
            decision=given["decision"],
            request_version=given["request_version"],
            content_hash=given["content_hash"],
            comment=given["comment"],
            args=cast("Any", given["args"]),
        )
        messages.success(request, "Saved." if receipt["final"] else f"Your vote is saved. {receipt['standing']}")
    except Problem as problem:
        messages.error(request, problem.detail)
    except PermissionDenied as refused:
        messages.error(request, str(refused))
    return redirect(address("approvals", approval_id))
