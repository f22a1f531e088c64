"""Who calls the API: a signed-in browser (session and CSRF) or a bearer token with a scope.

A token's scope is a list of words: `read`, `events`, `decide`, `steer`, `redrive`, `views`, and `log:<topic pattern>`
for the embedded log's HTTP face. A token never gives more than its user may do. The review class stays closed to
tokens whatever their scope says, except that an agent may ask for approval; only the relay writes decisions.
"""

from fnmatch import fnmatchcase
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from coordination.manifest import TOPICS
from dashboard.clock import database_now
from dashboard.manifest import manifest
from dashboard.models import ApiToken
from dashboard.permissions import Person, may_use_log

WORDS: Final = ("read", "events", "decide", "steer", "redrive", "views")
DEFAULT_SCOPE: Final = ("read",)
WRITABLE_REVIEW: Final = frozenset({"review.approval.commands"})
RELAY_ONLY: Final = frozenset({"run.decision.commands"})


class Access:
    """What this call may do: the person, and the token's scope (None for a signed-in browser)."""

    def __init__(self, user: Any, scope: list[str] | None = None) -> None:
        self.user: Person = user
        self.scope = scope

    def allows(self, word: str) -> bool:
        """Whether the scope holds this word; a browser's session is bounded by rights alone."""
        return self.scope is None or word in self.scope

    def allows_topic(self, name: str, write: bool) -> bool:
        """Whether a token may read (or append to) a topic of the log. Browsers have no business there."""
        if self.scope is None or not open_to_agents(name, write=write):
            return False
        patterns = [word.removeprefix("log:") for word in self.scope if word.startswith("log:")]
        return any(fnmatchcase(name, pattern) for pattern in patterns)


def wrong_scope(scope: list[str]) -> str:
    """What is wrong with a scope, in a sentence; empty if it makes sense."""
    for word in scope:
        if word not in WORDS and not (word.startswith("log:") and len(word) > len("log:")):
            return f"{word} is no scope; there are {', '.join(WORDS)} and log:<topic pattern>."
    return ""


def open_to_agents(name: str, *, write: bool) -> bool:
    """Whether agents may read (or append to) a topic at all, whatever a token says."""
    family = manifest().family_of(name)
    if family is None or TOPICS[family].access != "review":
        return not (write and family in RELAY_ONLY)
    return write and family in WRITABLE_REVIEW


class TokenAuth(HttpBearer):
    """`Authorization: Bearer <token>`; sets `request.auth` to an Access and `request.user` to its user."""

    def authenticate(self, request: HttpRequest, token: str) -> Access | None:
        """The access of a valid token, None for any other."""
        found = ApiToken.objects.find(token, now=database_now())
        if found is None:
            return None
        request.user = found.user
        return Access(found.user, _within_rights(found.user, found.scope))


def _within_rights(user: Person, scope: list[str]) -> list[str]:
    """The scope without what its user may not do; the other words are asked for at each call."""
    if any(word.startswith("log:") for word in scope) and not may_use_log(user):
        return [word for word in scope if not word.startswith("log:")]
    return list(scope)


class SessionAuth(AuthBase):
    """The browser's session cookie; writing calls need the CSRF token too."""

    openapi_type: str = "apiKey"
    openapi_in: str = "cookie"

    def __init__(self) -> None:
        self.openapi_name = settings.SESSION_COOKIE_NAME
        self.param_name = settings.SESSION_COOKIE_NAME
        super().__init__()

    def __call__(self, request: HttpRequest) -> Access | None:
        """The access of whoever is signed in."""
        if "authorization" in request.headers or not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise HttpError(403, "The CSRF token is missing or wrong. Reload the page and try again.")
        return Access(request.user)
