"""Approval requests as the log tells them; what people and timers do to them is kept elsewhere.

A higher request version replaces the request, a lower one is ignored. Facts are kept per version, so that a
fact read before the request it is about finds its place.
"""

from typing import Any

import msgspec

from coordination.tasks import Anomaly, Receipt


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a version of a request ended in the log: granted, denied, expired or withdrawn, and where."""

    state: str
    at: int
    topic: str
    partition: int
    offset: int
    decision_id: str = ""
    event_id: str = ""
    reason: str = ""


class Request(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One approval request. `version` is 0 until the request itself was read; `state` is pending, granted,
    denied, expired or withdrawn for that version. `receipts` are the agent's answers to decisions.
    """

    approval_id: str
    run_id: str = ""
    task_id: str = ""
    tenant: str = ""
    shard: str = ""
    version: int = 0
    content_hash: str = ""
    state: str = "pending"
    agent_group: str = ""
    agent_id: str = ""
    fence: int | None = None
    on_behalf_of: tuple[str, ...] = ()
    kind: str = "action"
    action: Any = None
    question: str = ""
    preview: Any = None
    reversibility: str = ""
    risk: str = ""
    risk_reasons: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    policy: Any = None
    priority: int | None = None
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
    outcomes: dict[int, Outcome] = {}
    receipts: list[Receipt] = []
    escalated_at: int | None = None
    deferred_at: int | None = None
    derived_times: bool = False
    anomalies: list[Anomaly] = []
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> str:
        """The row's key."""
        return self.approval_id
