"""What the framework refuses before or beside a call, below /api/: a problem document too, never a page.

Unknown addresses, wrong methods, foreign hosts and bodies that cannot be read never reach a call of the API, so
its own handlers do not see them.
"""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from dashboard.api.problems import MEDIA_TYPE, answer

API: Final = "/api/"
WORDS: Final = {
    400: ("refused", "This request cannot be read."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is no call at this address; /api/v1/openapi.json lists them all."),
    405: ("method_not_allowed", "This call has another method; see the Allow header."),
}
# Headers of the page that do not fit the document.
OF_THE_BODY: Final = frozenset({"content-type", "content-length", "content-language"})


@sync_and_async_middleware
def problems_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware that puts a problem document in place of every other error below /api/."""
    if iscoroutinefunction(get_response):
        answer_later = cast("Callable[[HttpRequest], Awaitable[HttpResponse]]", get_response)

        async def told_later(request: HttpRequest) -> HttpResponse:
            return _told(request, await answer_later(request))

        return told_later

    def told(request: HttpRequest) -> HttpResponse:
        return _told(request, get_response(request))

    return told


def _told(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if not request.path.startswith(API) or response.status_code not in WORDS:
        return response
    if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
        return response
    problem = answer(request, response.status_code, *WORDS[response.status_code])
    for name, value in response.headers.items():
        if name.lower() not in OF_THE_BODY:
            problem.headers[name] = value
    problem.cookies = response.cookies
    return problem
