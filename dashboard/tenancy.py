"""Middleware: what a request reads is limited to the tenants of whoever asks.

It also holds for API tokens: the person is looked up when the first query is made, after the token was checked.
"""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from dashboard.models.tenancy import limited_to
from dashboard.permissions import tenants_of


@sync_and_async_middleware
def limited_to_tenants(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Wraps the rest of the request."""
    if iscoroutinefunction(get_response):
        answer_later = cast("Callable[[HttpRequest], Awaitable[HttpResponse]]", get_response)

        async def limit_later(request: HttpRequest) -> HttpResponse:
            with limited_to(lambda: tenants_of(request.user)):
                return await answer_later(request)

        return limit_later

    def limit(request: HttpRequest) -> HttpResponse:
        with limited_to(lambda: tenants_of(request.user)):
            return cast("HttpResponse", get_response(request))

    return limit
