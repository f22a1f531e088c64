"""What somebody sees when a page could not be made: the database is away, or it is a fault of ours."""

import sys
from typing import Final

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.api.problems import answer

RETRY_SECONDS: Final = 5
API: Final = "/api/"
AWAY: Final = "The database does not answer. Nothing is lost; the same call succeeds as soon as it is back."
BROKEN: Final = "This is a fault of Lineside's own. It is in the server's log."


def failure(request: HttpRequest) -> HttpResponse:
    """Django's handler of what nobody caught: 503 while the database is away, else 500."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status, code, words = (503, "database_away", AWAY) if away else (500, "broken", BROKEN)
    if request.path.startswith(API):
        response = answer(request, status, code, words)
    else:
        response = render(request, f"{status}.html", status=status)
    if away:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response
