"""What the API promises of query lines: completions and saved views."""

from typing import Literal

from ninja import Field, Schema

from dashboard.api.shapes import Open


class CompletionShape(Open):
    """A way to go on: the text that replaces what was written, and what it means."""

    text: str
    note: str


class CompletionPage(Schema):
    """Ways to go on, best first; `from` and `to` are the ends of what they replace."""

    items: list[CompletionShape]
    start: int = Field(alias="from")
    to: int


class ViewShape(Open):
    """A query line that somebody keeps for a page."""

    id: int
    page: str
    name: str
    query: str
    shared: bool
    mine: bool
    owner: str


class ViewPage(Schema):
    """Saved views of a page."""

    items: list[ViewShape]
    next: str | None


class ViewBody(Schema):
    """A view to keep. `page` is what its line asks for."""

    page: Literal["runs", "tasks", "events", "approvals", "letters", "audit", "agents"]
    name: str
    query: str
    shared: bool = False
