"""Every route there is, out of the URL conf itself, with the capability it rests on.

`manage.py rights` prints it, a test asks every one of them as every role of every tenant. So a route that somebody
adds tomorrow is in both without being listed anywhere.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard import permissions
from dashboard.api.root import api
from dashboard.permissions import Capability

API: Final = "api/v1/"
ADMIN: Final = "admin/"
# What rests on no capability, and why.
OPEN: Final[dict[str, str]] = {
    "sign-in/": "whoever wants to sign in is nobody yet",
    "sign-in/<str:token>": "the link is the right, once",
    "sign-in/<str:token>/": "the link is the right, once",
    "sign-in/oidc/": "leads to the identity provider",
    "sign-in/oidc/return/": "the provider's proof is the right",
    "sign-out/": "ends one's own session",
    "metrics": "asks for itself: a session or a token, and the right to see all tenants",
    "api/v1/health": "the status alone to whoever is not signed in",
    "api/v1/openapi.json": "describes the calls, holds no data",
    "api/v1/events": "asks for itself: the scope `events`, the right to steer, the event's tenant",
    "api/v1/log/": "asks for itself: a token's `log:` scope, which needs the right to steer and to see all tenants",
    "admin/login/": "leads to sign-in",
    "admin/": "Django's own: staff with Django's permission on each table",
}


class Route(msgspec.Struct, frozen=True):
    """One method of one address; `capability` is None where the route asks for itself or is open (`why`). `scope` is
    the word that a token must hold for it; empty for pages."""

    method: str
    path: str
    capability: Capability | None
    why: str = ""
    scope: str = ""

    @property
    def right(self) -> str:
        """The capability's name, or why there is none."""
        return self.capability.__name__ if self.capability else self.why


def routes() -> list[Route]:
    """All routes in the order of their addresses. A route of the admin stands for itself."""
    return sorted({*_pages(), *_calls()}, key=lambda route: (route.path, route.method))


def unexplained() -> list[Route]:
    """Routes that neither rest on a capability nor are known to be open: there must be none."""
    return [route for route in routes() if route.capability is None and not route.why]


def _pages() -> Iterator[Route]:
    for path, callback in _patterns(get_resolver().url_patterns, ""):
        if not path.startswith(API):
            yield _route("GET", path, getattr(callback, "capability", None))


def _calls() -> Iterator[Route]:
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                address = API + f"{prefix}/{path}".replace("//", "/").strip("/").replace("{", "<").replace("}", ">")
                capability = getattr(operation.view_func, "capability", None)
                scope = getattr(operation.view_func, "scope", "")
                for method in operation.methods:
                    yield _route(method, address, capability, scope)
    yield _route("GET", f"{API}openapi.json", None)


def _route(method: str, path: str, capability: Capability | None, scope: str = "") -> Route:
    why = next((why for known, why in OPEN.items() if path == known or _under(path, known)), "")
    return Route(method, path, capability, "" if capability else why, scope)


def _under(path: str, known: str) -> bool:
    return known in (ADMIN, f"{API}log/") and path.startswith(known)


def _patterns(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def capabilities() -> dict[str, Capability]:
    """Every capability by its name."""
    return {
        name: found
        for name, found in vars(permissions).items()
        if name.startswith("may_") and name != "may_watch" and callable(found)
    }
