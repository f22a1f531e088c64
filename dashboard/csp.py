"""The Content-Security-Policy header: scripts and styles are ours and come from here, nothing else does."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

# No style is inline: scripts set what is computed (a segment's width, a graph's size) through the CSSOM, which is not
# inline, and Plotly finds a sheet of ours for its rules (`templates/parts/plotly.html`).
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


@sync_and_async_middleware
def content_security_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware that adds the header where a view did not set one of its own."""
    if iscoroutinefunction(get_response):
        answer_later = cast("Callable[[HttpRequest], Awaitable[HttpResponse]]", get_response)

        async def guard_later(request: HttpRequest) -> HttpResponse:
            return _guarded(await answer_later(request))

        return guard_later

    def guard(request: HttpRequest) -> HttpResponse:
        return _guarded(get_response(request))

    return guard


def _guarded(response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response
