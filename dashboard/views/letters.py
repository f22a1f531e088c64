"""Dead letters: what was lost, and why? Rejected records and those that agents gave up, newest first."""

from django.http import HttpRequest, HttpResponse

from dashboard.api.letterlist import letter_figures, letter_page
from dashboard.api.paging import PAGE
from dashboard.api.problems import Problem
from dashboard.permissions import may_see_letters, needs
from dashboard.views.page import page


@needs(may_see_letters)
def letters(request: HttpRequest) -> HttpResponse:
    """The list, with its filter."""
    query = request.GET.get("query", "")
    wrong = ""
    try:
        found = letter_page(query, None, PAGE)
    except Problem as problem:
        found, wrong = {"items": [], "next": None}, problem.detail
    figures = letter_figures()
    return page(request, "dead_letters.html", "dead", query=query, wrong=wrong, letters=found, figures=figures)
