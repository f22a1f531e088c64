"""Dead letters: what was lost, and why? Rejected records and those that agents gave up, newest first."""

from django.http import HttpRequest, HttpResponse

from dashboard.api.letterlist import letter_figures, letter_page
from dashboard.api.paging import EMPTY, PAGE
from dashboard.clock import database_now
from dashboard.permissions import may_see_letters, needs
from dashboard.views.page import asked, page


@needs(may_see_letters)
def letters(request: HttpRequest) -> HttpResponse:
    """The list, with its filter."""
    query, now = request.GET.get("query", ""), database_now()
    found, wrong = asked(query, lambda: letter_page(query, None, PAGE, now), EMPTY)
    figures = letter_figures()
    return page(request, "dead_letters.html", "dead", now=now, query=query, wrong=wrong, letters=found, figures=figures)
