"""API calls about redrives: a dry run first, then the order, then what became of each letter."""

from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Schema

from dashboard.api.lettergroups import letter_groups
from dashboard.api.paging import size
from dashboard.api.redriving import act, item_rows, redrive_row, redrive_rows
from dashboard.api.root import access, allowed, api
from dashboard.api.shapes import Open
from dashboard.clock import database_now
from dashboard.models import Redrive
from dashboard.permissions import may_redrive, may_see_letters


class RedriveBody(Schema):
    """Which letters (`ids`, or a `query` as in `rejected`, or `all`), and what to do with them.

    `dry_run` true changes nothing and answers with a `plan`; send that back with `dry_run` false to have exactly that
    done. The same `redrive_id` again is the same order.
    """

    act: Literal["redrive", "discard"] = "redrive"
    ids: list[str] = Field(default_factory=list, max_length=10_000)
    query: str | None = None
    all: bool = False
    dry_run: bool = True
    plan: str = ""
    redrive_id: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9._-]*$")
    reason: str = Field("", max_length=500)


class RedriveShape(Open):
    """A dry run, or an order with the number of its letters in each state."""

    dry_run: bool
    act: str
    letters: int


class RedrivePage(Schema):
    """Orders, newest first."""

    items: list[RedriveShape]
    next: str | None


class RedriveItemPage(Schema):
    """The letters of an order: where each stands now, and what became of it."""

    items: list[dict[str, Any]]
    next: str | None


class ErrorPage(Schema):
    """What went wrong, the most frequent first."""

    items: list[dict[str, Any]]
    next: str | None


@api.post("redrives", response={200: RedriveShape, 202: RedriveShape}, tags=["records"])
@allowed(may_redrive, "redrive")
def order(request: HttpRequest, body: RedriveBody) -> tuple[int, dict[str, Any]]:
    """Put dead letters back, or discard them. 200: a dry run, or discarded; 202: saved, sent by itself and followed;
    409: the letters changed since the dry run, nothing was done, and the new plan is in the answer."""
    return act(access(request).user, body)


@api.get("redrives", response=RedrivePage, tags=["records"])
@allowed(may_see_letters)
def orders(request: HttpRequest, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
    """All redrives, newest first."""
    return redrive_rows(cursor, size(limit))


@api.get("redrives/{redrive_id}", response=RedriveShape, tags=["records"])
@allowed(may_see_letters)
def one_order(request: HttpRequest, redrive_id: str) -> dict[str, Any]:
    """One redrive."""
    return redrive_row(get_object_or_404(Redrive, pk=redrive_id))


@api.get("redrives/{redrive_id}/items", response=RedriveItemPage, tags=["records"])
@allowed(may_see_letters)
def items(request: HttpRequest, redrive_id: str, cursor: str | None = None, limit: int | None = None) -> dict[str, Any]:
    """The letters of one redrive in the order in which they went back."""
    return item_rows(get_object_or_404(Redrive, pk=redrive_id), cursor, size(limit))


@api.get("errors", response=ErrorPage, tags=["records"])
@allowed(may_see_letters)
def errors(request: HttpRequest, query: str = "") -> dict[str, Any]:
    """Rejected and dead-lettered records grouped by what went wrong."""
    return {"items": letter_groups(query, database_now()), "next": None}
