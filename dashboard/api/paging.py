"""Cursors: where the next page of a list begins, as text that means nothing to anybody else.

A cursor holds the sort key of the last row of a page, so that rows which arrive meanwhile neither repeat nor
hide others, and the last page costs what the first one does.
"""

import base64
import binascii
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from dashboard.api.problems import Problem

PAGE: Final = 50
MOST: Final = 200
EMPTY: Final[dict[str, Any]] = {"items": [], "next": None}
LARGEST: Final = 2**63 - 1
COUNTED: Final = 1_000
"""Counts that stand on every page stop here, shown as "999+": what is behind may be millions."""


def cursor(*key: Any) -> str:
    """The cursor behind a row with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def position(text: str | None, *kinds: type) -> list[Any] | None:
    """The sort key in a cursor, its parts of these kinds; None for the first page. Raises Problem 400 for anything
    else: whoever made it up gets words, not an error of the database."""
    if not text:
        return None
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise _unreadable()
    if any(abs(part) >= LARGEST for part in key if isinstance(part, int)) or any("\0" in str(part) for part in key):
        raise _unreadable()
    return key


def _unreadable() -> Problem:
    return Problem(400, "bad_cursor", "The cursor cannot be read. Start again without one.")


def size(limit: int | None) -> int:
    """How many rows a page has: what was asked for, between 1 and 200; 50 if nothing was said."""
    return PAGE if limit is None else max(1, min(MOST, limit))


def counted(found: QuerySet[Any]) -> int:
    """How many rows there are; `COUNTED` for that many or more."""
    return found.order_by()[:COUNTED].count()


def page(items: list[dict[str, Any]], limit: int, following: str | None) -> dict[str, Any]:
    """The answer of a list: `items` may hold one more than `limit`, which tells that there is a next page."""
    return {"items": items[:limit], "next": following if len(items) > limit else None}
