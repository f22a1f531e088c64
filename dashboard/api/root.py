"""The API object: who may call, what errors look like, what it says of itself. Calls register themselves here."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from dashboard.api.exporting import exported, wanted
from dashboard.api.problems import Problem, attach
from dashboard.api.tokens import Access, SessionAuth, TokenAuth
from dashboard.permissions import Capability, require

Call = TypeVar("Call", bound=Callable[..., Any])

api = NinjaAPI(
    title="Lineside",
    version="1",
    description=(
        "Runs, tasks, joins, agents and approvals of agents that coordinate over a log. Times are RFC 3339 UTC, "
        "lists are {items, next}, errors are problem documents (RFC 9457). `format=csv` or `format=json` gives a whole "
        "list as a file."
    ),
    urls_namespace="api",
    docs_url=None,
    auth=[TokenAuth(), SessionAuth()],
)
attach(api)


def access(request: HttpRequest) -> Access:
    """Who calls, with which scope."""
    return cast("Access", request.auth)  # type: ignore[attr-defined]


def written(body: Any, status: int = 200) -> HttpResponse:
    """The answer as JSON. Shapes name the fields that are promised; rows carry more, and all of it travels."""
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")


def allowed(capability: Capability, word: str = "read") -> Callable[[Call], Call]:
    """Decorator of a call: 403 unless the person has the capability and the token's scope holds `word`.

    The call returns what is to be written as JSON, or (status, that), or a response of its own. `format=csv` or
    `format=json` gives all rows of a list as a file.
    """

    def decorate(call: Call) -> Call:
        @wraps(call)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            who = access(request)
            if not who.allows(word):
                raise Problem(403, "scope", f"This token's scope does not hold `{word}`.")
            require(who.user, capability)
            form = wanted(request)
            if form:
                return exported(request, form, call, kwargs)
            found = call(request, *args, **kwargs)
            if isinstance(found, HttpResponse):
                return found
            status, body = found if isinstance(found, tuple) else (200, found)
            return written(body, status)

        guarded.capability, guarded.scope = capability, word  # type: ignore[attr-defined]  # for `dashboard.routes`
        return cast("Call", guarded)

    return decorate
