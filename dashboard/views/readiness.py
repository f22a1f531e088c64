"""Readiness: does coordination need a first-class log here, and what is proven? Scores with their evidence."""

from typing import cast

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from coordination.readiness import DIMENSIONS, verdict
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.forms import AnswerForm
from dashboard.models import ReadinessAnswer
from dashboard.permissions import may_answer_readiness, may_see_readiness, needs, require
from dashboard.readinessfacts import checklist, scores
from dashboard.views.page import page

ASKED = {dimension.key: dimension for dimension in DIMENSIONS if dimension.asked}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(may_see_readiness)
def readiness(request: HttpRequest) -> HttpResponse:
    """Six scores and seven areas; POST answers what only people know."""
    form = AnswerForm(request.POST or None)
    if request.method == "POST":
        require(request.user, may_answer_readiness)
        if form.is_valid():
            answer(cast("User", request.user), **form.cleaned_data)
            return redirect("readiness")
    now = database_now()
    found = scores(now)
    return page(
        request,
        "readiness.html",
        "readiness",
        status=422 if form.errors else 200,
        now=now,
        scores=found,
        verdict=verdict(found),
        known=sum(each.score is not None for each in found),
        areas=checklist(now),
        form=form,
        may_answer=may_answer_readiness(request.user),
        marks=range(1, 6),
    )


def answer(person: User, *, question: str, score: int, reason: str) -> None:
    """Keep an answer; what was answered before stays in the audit trail."""
    with transaction.atomic():
        before = ReadinessAnswer.objects.select_for_update().filter(question=question).first()
        fields = {"score": score, "reason": reason, "answered_by": person.get_username(), "at": database_now()}
        ReadinessAnswer.objects.update_or_create(question=question, defaults=fields)
        detail = {
            "before": None if before is None else {"score": before.score, "reason": before.reason},
            "after": {"score": score, "reason": reason},
        }
        enter(voter_of(person), "readiness.answered", f"readiness/{question}", detail)
