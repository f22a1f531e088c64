"""Approvals: what people and timers decide, from the click to the outbox.

A reviewer's click is never lost, never doubled, never applied to something else than what was shown. Every act is
one transaction on one locked approval (`review`), and ends in the outbox; the relay talks to the log. What the log
says of a request is ingest's row; what people and timers did to it is the Approval row, its votes and decisions.

`decide`, `undo`, `revoke`, `claim`, `release`, `defer`, `viewed` are the acts, `receipt_of` tells how far a decision
has come; `dashboard.steering` does the same for tasks. What cannot be done is an error of `errors`, with the words
for whoever asked.
"""

from dashboard.approvals.claims import claim, defer, release, viewed
from dashboard.approvals.decisions import decide
from dashboard.approvals.errors import (
    AlreadyDecided,
    Expired,
    InvalidDecision,
    KeyReused,
    NotAllowed,
    NotDecided,
    RequestChanged,
    UnknownApproval,
)
from dashboard.approvals.receipts import Published, Receipt, receipt_of
from dashboard.approvals.takingback import revoke, undo

__all__ = [
    "AlreadyDecided",
    "Expired",
    "InvalidDecision",
    "KeyReused",
    "NotAllowed",
    "NotDecided",
    "Published",
    "Receipt",
    "RequestChanged",
    "UnknownApproval",
    "claim",
    "decide",
    "defer",
    "receipt_of",
    "release",
    "revoke",
    "undo",
    "viewed",
]
