"""Decisions on their way and what became of them: sent to the agent, then applied, refused or revoked.

Both the task and the approval request keep them. A resend keeps the first instant; a row keeps the earliest.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from coordination.event import Event

KEPT: Final = 100


class Sent(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A decision that was sent to the agent (task.resume.requested), and where that record stands."""

    at: int
    topic: str
    partition: int
    offset: int
    decision_id: str


class Receipt(msgspec.Struct, frozen=True, order=True, array_like=True):
    """What the agent answered: `outcome` is applied, refused, revoked, or too_late for a revocation.

    `detail` is the agent's sentence about a refusal; `compensation_task_id` the task that undoes what was too late.
    """

    at: int
    topic: str
    partition: int
    offset: int
    decision_id: str
    outcome: str
    reason: str = ""
    approval_id: str = ""
    detail: str = ""
    compensation_task_id: str = ""


OUTCOMES: Final = {
    "decision.applied": "applied",
    "decision.refused": "refused",
    "decision.revoked": "revoked",
}


def receipt_of(event: Event) -> Receipt:
    """The receipt that a decision.applied, .refused or .revoked is."""
    data: Any = event.data
    outcome = OUTCOMES[event.name]
    if outcome == "refused" and data.of == "revoke":
        outcome = "too_late"
    where = (event.at, event.topic, event.partition, event.offset)
    reason, detail, undone_by = (getattr(data, name, "") for name in ("reason", "detail", "compensation_task_id"))
    return Receipt(*where, data.decision_id, outcome, reason, data.approval_id, detail, undone_by)


def sent_of(event: Event) -> Sent:
    """The sending that a task.resume.requested is; one without a decision id stands for itself."""
    where = (event.at, event.topic, event.partition, event.offset)
    return Sent(*where, event.data.decision_id or event.id)


def with_receipt(receipts: Iterable[Receipt], new: Receipt) -> tuple[Receipt, ...]:
    """The receipts with a new one, each (decision, outcome) once, earliest first."""
    first: dict[tuple[str, str], Receipt] = {}
    for one in sorted((*receipts, new)):
        first.setdefault((one.decision_id, one.outcome), one)
    return tuple(first.values())[:KEPT]


def with_sent(sent: Iterable[Sent], new: Sent) -> tuple[Sent, ...]:
    """The sendings with a new one, each decision once, earliest first."""
    first: dict[str, Sent] = {}
    for one in sorted((*sent, new)):
        first.setdefault(one.decision_id, one)
    return tuple(first.values())[:KEPT]
