"""Dead letters: what was lost, and why? Rejected records and those that agents gave up, newest first."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from dashboard.api.lettergroups import letter_groups
from dashboard.api.letterlist import letter_figures, letter_page
from dashboard.api.paging import EMPTY, PAGE
from dashboard.api.redriving import item_rows, redrive_row, redrive_rows
from dashboard.clock import database_now
from dashboard.models import Redrive
from dashboard.permissions import may_redrive, may_see_letters, needs
from dashboard.views.page import asked, one, page

ORDERS = 10


@needs(may_see_letters)
def letters(request: HttpRequest) -> HttpResponse:
    """By error and one by one, with a filter; below, what was put back."""
    query, now = request.GET.get("query", ""), database_now()
    found, wrong = asked(query, lambda: letter_page(query, None, PAGE, now), EMPTY)
    return page(
        request,
        "dead_letters.html",
        "dead",
        now=now,
        query=query,
        wrong=wrong,
        letters=found,
        errors=[] if wrong else letter_groups(query, now),
        figures=letter_figures(),
        files=f"/api/v1/rejected?{urlencode({'query': query})}&",
        orders=redrive_rows(None, ORDERS)["items"],
        may_redrive=may_redrive(request.user),
    )


@needs(may_see_letters)
def redrive(request: HttpRequest, redrive_id: str) -> HttpResponse:
    """One order to put letters back: how each stands."""
    made = one(Redrive.objects.filter(pk=redrive_id), f"There is no redrive {redrive_id}.")
    return page(request, "redrive.html", "dead", order=redrive_row(made), items=item_rows(made, None, PAGE))
