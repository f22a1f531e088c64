"""Saved views: query lines that people keep for a page, for themselves or for everybody who may see that page."""

from typing import Any, Final
from urllib.parse import quote

from django.db import transaction
from django.db.models import Q

from coordination.subjects import SUBJECTS
from dashboard.api.condition import terms_of
from dashboard.api.problems import Problem
from dashboard.models import SavedView
from dashboard.permissions import (
    Capability,
    may_see_agents,
    may_see_approvals,
    may_see_audit,
    may_see_letters,
    may_see_runs,
    tenants_of,
)

MOST: Final = 200
LONGEST_NAME: Final = 60
LONGEST_LINE: Final = 1_000
SEEN_BY: Final[dict[str, Capability]] = {
    "runs": may_see_runs,
    "tasks": may_see_runs,
    "events": may_see_runs,
    "approvals": may_see_approvals,
    "letters": may_see_letters,
    "audit": may_see_audit,
    "agents": may_see_agents,
}
"""Whoever may see what a line asks for may keep and share lines about it."""


def view_rows(user: Any, page: str) -> list[dict[str, Any]]:
    """The views of a page that a user sees: their own, and those that others share."""
    found = SavedView.objects.filter(Q(owner=user) | Q(shared=True), page=page).select_related("owner")
    mine = tenants_of(user)
    views = (view for view in found.order_by("name", "pk") if view.owner_id == user.pk or _shares(mine, view.owner))
    return [_row(view, user) for view in views]


def _shares(mine: frozenset[str] | None, owner: Any) -> bool:
    """Whether the owner sees a tenant that I see too: a line may name what belongs to a tenant."""
    theirs = tenants_of(owner)
    return mine is None or (theirs is not None and bool(mine & theirs))


def _row(view: SavedView, user: Any) -> dict[str, Any]:
    return {
        "id": view.pk,
        "page": view.page,
        "name": view.name,
        "query": view.query,
        "shared": view.shared,
        "mine": view.owner_id == user.pk,
        "owner": view.owner.get_username(),
        "href": f"?query={quote(view.query)}",
    }


def keep(user: Any, page: str, name: str, query: str, shared: bool) -> dict[str, Any]:
    """Keeps a line under a name; the same name again replaces it. Raises Problem 400 and 422."""
    name, query = name.strip(), query.strip()
    terms_of(query, SUBJECTS[page])
    if not name or len(name) > LONGEST_NAME:
        raise Problem(422, "bad_name", f"Give the view a name of 1 to {LONGEST_NAME} characters.")
    if not query or len(query) > LONGEST_LINE:
        raise Problem(422, "bad_line", f"Write a filter of 1 to {LONGEST_LINE:,} characters before you save it.")
    with transaction.atomic():
        kept, made = SavedView.objects.update_or_create(
            owner=user, page=page, name=name, defaults={"query": query, "shared": shared}
        )
        if made and SavedView.objects.filter(owner=user).count() > MOST:
            raise Problem(422, "too_many", f"You have {MOST} views already; delete one first.")
    return _row(kept, user)


def drop(user: Any, number: int) -> None:
    """Deletes one's own view. Raises Problem 404 for any other."""
    gone, _ = SavedView.objects.filter(owner=user, pk=number).delete()
    if not gone:
        raise Problem(404, "not_found", f"You have no view {number}.")
