"""What the API promises of events, records, agent groups and health; see `shapes`."""

from typing import Any

from ninja import Schema

from dashboard.api.shapes import Open


class EventShape(Open):
    """One record, without what it carries."""

    topic: str
    partition: int
    offset: int
    id: str
    type: str
    time: str | None
    task_id: str
    agent_id: str
    causation_id: str


class EventPage(Schema):
    """One page of records, oldest first."""

    items: list[EventShape]
    next: str | None


class RecordShape(Open):
    """One record: attributes, data, what caused it, what it caused, and where each group stands with it."""

    attributes: dict[str, str]
    data: Any
    causes: list[dict[str, Any]]
    effects: list[dict[str, Any]]
    fate: list[dict[str, Any]]


class VerdictShape(Open):
    """The judgement on a group, with the facts it was made of."""

    state: str
    facts: list[dict[str, Any]]


class GroupShape(Open):
    """One agent group at the last poll; null is unknown."""

    group: str
    verdict: VerdictShape
    waiting: int | None
    running: int | None
    age_seconds: float | None
    eta: str
    members: int | None
    partitions: list[dict[str, Any]]
    as_of: str


class GroupPage(Schema):
    """All agent groups, worst verdict first."""

    items: list[GroupShape]
    next: str | None


class LetterShape(Open):
    """A record that went wrong: rejected by us, or given up by an agent."""

    kind: str
    topic: str
    partition: int
    offset: int
    at: str | None
    stage: str
    reason: str


class LetterPage(Schema):
    """One page of them, newest first."""

    items: list[LetterShape]
    next: str | None


class Health(Open):
    """How the dashboard is. Without login there is the status alone."""

    status: str


class Placed(Schema):
    """Where an appended event stands."""

    topic: str
    partition: int
    offset: int


class PlacedPage(Schema):
    """Where the events of one POST stand, in their order."""

    items: list[Placed]


class MarkShape(Open):
    """One mark of the scrubber: a stretch of time, the states that changed in it, the failures among them."""

    position: str
    time: str
    changed: int
    failed: int


class MarkPage(Schema):
    """The marks of a run, oldest first."""

    items: list[MarkShape]
    next: str | None
