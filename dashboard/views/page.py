"""What every page has: the frame's first data, and words for what is missing."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from dashboard.api.health import health_row
from dashboard.api.problems import Problem
from dashboard.clock import database_now
from dashboard.permissions import (
    Capability,
    may_see_agents,
    may_see_approvals,
    may_see_audit,
    may_see_letters,
    may_see_readiness,
    may_see_runs,
    may_see_schemas,
)

# The entries of the rail, each for those who may see its page.
RAIL: Final[dict[str, Capability]] = {
    "runs": may_see_runs,
    "approvals": may_see_approvals,
    "agents": may_see_agents,
    "letters": may_see_letters,
    "audit": may_see_audit,
    "schemas": may_see_schemas,
    "readiness": may_see_readiness,
}


@never_cache
def page(request: HttpRequest, template: str, place: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the frame. `place` marks the entry of the rail; `now` (µs) may be given, so that one instant
    rules the whole page."""
    now = context.pop("now", None)
    now = database_now() if now is None else now
    frame = {
        "place": place,
        "now": now,
        "api_root": "/api/v1/",
        "health": health_row(now),
        "open": {name: may(request.user) for name, may in RAIL.items()},
    }
    return render(request, template, frame | context, status=status)


Row = TypeVar("Row", bound=Model)
Answer = TypeVar("Answer")


class Wrong(NamedTuple):
    """What was not understood in a query line, why, and the line around it; `at` counts characters from 0."""

    words: str
    line: str
    at: int
    end: int

    @property
    def place(self) -> int:
        """Where it is, as people count."""
        return self.at + 1

    @property
    def before(self) -> str:
        """What stands before it."""
        return self.line[: self.at]

    @property
    def culprit(self) -> str:
        """The part that is to blame; a space where something is missing."""
        return self.line[self.at : self.end] or "\N{NO-BREAK SPACE}"

    @property
    def after(self) -> str:
        """What stands behind it."""
        return self.line[self.end :]


def asked(line: str, ask: Callable[[], Answer], nothing: Answer) -> tuple[Answer, Wrong | None]:
    """The answer to a query line, or nothing and what was not understood."""
    try:
        return ask(), None
    except Problem as problem:
        at = int(problem.members.get("at", len(line)))
        return nothing, Wrong(problem.detail, line, at, max(int(problem.members.get("end", at)), at + 1))


def one(rows: QuerySet[Row], words: str) -> Row:
    """The one row, or a page that says in these words what is missing."""
    row = rows.first()
    if row is None:
        raise Http404(words)
    return row
