"""What every page has: the frame's first data, a bounded size in the URL, and how errors look."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from dashboard.api.health import health_row
from dashboard.clock import database_now


@never_cache
def page(request: HttpRequest, template: str, place: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the frame. `place` marks the entry of the rail; `now` (µs) may be given, so that one instant
    rules the whole page."""
    now = context.pop("now", None)
    now = database_now() if now is None else now
    frame = {"place": place, "now": now, "api_root": "/api/v1/", "health": health_row(now)}
    return render(request, template, frame | context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what could not be read."""
    return render(request, "400.html", {"reason": str(exception)}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the right that is missing, in words."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: what was looked for."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return render(request, "404.html", {"reason": reason}, status=404)
