"""Approval requests as the log tells them; what people and timers do to them is kept elsewhere.

A higher request version replaces the request, a lower one is ignored. Facts are kept per version, so that a
fact read before the request it is about finds its place. The first end of a version wins; a second one, or the
same version asked for twice, is an anomaly.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from coordination.anomalies import Anomaly, Mark, mark_of, note, note_at
from coordination.event import Event
from coordination.instants import micros
from coordination.receipts import Receipt, Sent, receipt_of, sent_of, with_receipt, with_sent

MAX_VERSIONS: Final = 50


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a version of a request ended in the log: granted, denied, expired or withdrawn, and where."""

    state: str
    at: int
    topic: str
    partition: int
    offset: int
    event_id: str = ""
    decision_id: str = ""
    reason: str = ""

    @property
    def mark(self) -> Mark:
        """Where the fact stands."""
        return self.topic, self.partition, self.offset


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """When and where a version was asked for."""

    at: int
    topic: str
    partition: int
    offset: int

    @property
    def mark(self) -> Mark:
        """Where the record stands."""
        return self.topic, self.partition, self.offset


class Request(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One approval request. `version` is 0 until the request itself was read; `state` is pending, granted,
    denied, expired or withdrawn for that version. `action`, `preview` and `policy` are plain JSON values.
    `sent` and `receipts` are decisions on their way to the agent and its answers. `asked` and `outcomes` are
    kept for each version, the latest fifty.
    """

    approval_id: str
    run_id: str = ""
    task_id: str = ""
    tenant: str = ""
    version: int = 0
    content_hash: str = ""
    state: str = "pending"
    title: str = ""
    question: str = ""
    kind: str = "action"
    agent_group: str = ""
    agent_id: str = ""
    agent_instance: str = ""
    fence: int | None = None
    on_behalf_of: tuple[str, ...] = ()
    action: Any = None
    preview: Any = None
    reversibility: str = ""
    risk: str = ""
    risk_reasons: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    policy: Any = None
    priority: int = 0
    due_at: int | None = None
    expires_at: int | None = None
    on_expiry: str = ""
    requested_at: int | None = None
    request_id: str = ""
    causation_id: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1
    first_at: int | None = None
    asked: dict[int, Asked] = {}
    outcomes: dict[int, Outcome] = {}
    sent: tuple[Sent, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    escalated_at: int | None = None
    deferred_at: int | None = None
    derived_times: bool = False
    anomalies: tuple[Anomaly, ...] = ()
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> str:
        """The row's key."""
        return self.approval_id

    @property
    def outcome(self) -> Outcome | None:
        """How the current version ended, if it did."""
        return self.outcomes.get(self.version)


Step = Callable[[Request, Event], None]


def requested(row: Request, event: Event) -> None:
    """approval.requested: what an agent wants to do, or to know."""
    version = event.data.request_version
    mark = mark_of(event)
    known = row.asked.get(version)
    if row.first_at is None or event.at < row.first_at:
        row.first_at = event.at
    if known is not None and known.mark < mark:
        note(row, event, "requested_again")
        return
    if known is not None:
        note_at(row, known.mark, "requested_again", event.name, known.at)
    row.asked = _latest({**row.asked, version: Asked(event.at, *mark)})
    if version >= row.version:
        row.version = version
        _ask(row, event)
        _place(row, event)
        _show(row)


def _ask(row: Request, event: Event) -> None:
    data = event.data
    row.content_hash = data.content_hash
    row.title, row.question, row.kind = data.title, data.question, data.kind
    row.on_behalf_of = data.on_behalf_of
    row.action = _plain(data.action)
    row.preview = _plain(data.preview)
    row.reversibility, row.risk, row.risk_reasons = data.reversibility, data.risk, data.risk_reasons
    row.allowed = data.allowed_decisions
    row.policy = _plain(data.policy)
    row.priority = data.priority
    row.due_at = micros(data.due_at) if data.due_at else None
    row.expires_at = micros(data.expires_at) if data.expires_at else event.expiry_at
    row.on_expiry = data.on_expiry


def _place(row: Request, event: Event) -> None:
    data = event.data
    row.run_id, row.task_id = event.run_id, event.task_id
    row.agent_group = data.agent_group or event.agent_group
    row.agent_id, row.agent_instance = event.agent_id, data.agent_instance
    row.fence = event.attempt if data.fence is None else data.fence
    row.requested_at, row.request_id, row.causation_id = event.at, event.id, event.causation_id
    row.topic, row.partition, row.offset = mark_of(event)


def _plain(value: Any) -> Any:
    # Rows are stored and compared as JSON; a struct of the catalogue would come back as a dict.
    return msgspec.to_builtins(value)


def _latest(by_version: dict[int, Any]) -> dict[int, Any]:
    return {version: by_version[version] for version in sorted(by_version)[-MAX_VERSIONS:]}


def _show(row: Request) -> None:
    outcome = row.outcome
    row.state = outcome.state if outcome else "pending"


STATES: Final = {
    "approval.granted": "granted",
    "approval.denied": "denied",
    "approval.expired": "expired",
    "approval.withdrawn": "withdrawn",
}
_NAMES: Final = {state: name for name, state in STATES.items()}


def ended(row: Request, event: Event) -> None:
    """approval.granted, .denied, .expired, .withdrawn: the first end of a version wins."""
    version = event.data.request_version
    known = row.outcomes.get(version)
    if known is not None and known.mark < mark_of(event):
        note(row, event, "decided_again")
        return
    if known is not None:
        note_at(row, known.mark, "decided_again", _NAMES[known.state], known.at)
    reason = getattr(event.data, "reason", "")
    decision_id = getattr(event.data, "decision_id", "")
    outcome = Outcome(STATES[event.name], event.at, *mark_of(event), event.id, decision_id, reason)
    row.outcomes = _latest({**row.outcomes, version: outcome})
    _show(row)


def escalated(row: Request, event: Event) -> None:
    """approval.escalated: the last time it was handed up; it stays pending."""
    row.escalated_at = max(row.escalated_at or event.at, event.at)


def deferred(row: Request, event: Event) -> None:
    """approval.deferred: the last time it was put off; it stays pending."""
    row.deferred_at = max(row.deferred_at or event.at, event.at)


def seen(row: Request, event: Event) -> None:
    """approval.claimed, .vote.recorded, decision.revoke.requested: shown from the stored events."""


def resume_requested(row: Request, event: Event) -> None:
    """task.resume.requested: a decision left for the agent."""
    row.sent = with_sent(row.sent, sent_of(event))


def answered(row: Request, event: Event) -> None:
    """decision.applied, .refused, .revoked: what the agent did with it."""
    row.receipts = with_receipt(row.receipts, receipt_of(event))


REQUEST_EVENTS: Final[dict[str, Step]] = {
    "approval.requested": requested,
    "approval.granted": ended,
    "approval.denied": ended,
    "approval.expired": ended,
    "approval.withdrawn": ended,
    "approval.escalated": escalated,
    "approval.deferred": deferred,
    "approval.claimed": seen,
    "approval.vote.recorded": seen,
    "decision.revoke.requested": seen,
    "task.resume.requested": resume_requested,
    "decision.applied": answered,
    "decision.refused": answered,
    "decision.revoked": answered,
}
