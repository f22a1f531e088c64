"""Data of approval requests, of what people decide, and of what agents answer."""

from typing import Any, Literal

from coordination.events.shapes import Count, Data, Digest, Identifier, Ordinal
from coordination.instants import Instant


class Action(Data, frozen=True, gc=False, kw_only=True):
    """What will be executed. The content hash is over the canonical JSON of the whole action as it was sent."""

    name: Identifier
    target: str = ""
    args: Any = None
    args_schema: Any = None


class Preview(Data, frozen=True, gc=False, kw_only=True):
    """What the reviewer is shown: `kind` is text, json, diff or table; `complete`: nothing is left out."""

    kind: str = "text"
    before: Any = None
    after: Any = None
    complete: bool = False


class Policy(Data, frozen=True, gc=False, kw_only=True):
    """Who must agree: any one, all required groups, or a quorum of n persons, of n of the groups if they are more."""

    rule: Literal["any", "all", "quorum"] = "any"
    quorum: Ordinal = 1
    required_groups: tuple[str, ...] = ()
    name: str = ""
    version: str = ""
    validity_ms: Count | None = None


class ApprovalRequested(Data, frozen=True, gc=False, kw_only=True):
    """A request. A higher `request_version` replaces it and voids its votes; a lower one is ignored.

    `fence` is the attempt that asks (without it: `attempt` of the envelope). `risk` is the agent's claim: low,
    medium, high or critical; another word counts as high. `allowed_decisions` are approve, edit, reject,
    respond. `reversibility` is yes, compensable or no. `on_expiry` is reject, escalate, wait or approve.
    """

    approval_id: Identifier
    request_version: Ordinal
    content_hash: Digest
    action: Action
    title: str = ""
    question: str = ""
    kind: Literal["action", "question"] = "action"
    agent_group: str = ""
    agent_instance: str = ""
    fence: Ordinal | None = None
    on_behalf_of: tuple[str, ...] = ()
    preview: Preview | None = None
    reversibility: Literal["yes", "compensable", "no"] = "no"
    risk: str = "medium"
    risk_reasons: tuple[str, ...] = ()
    allowed_decisions: tuple[str, ...] = ("approve", "reject")
    policy: Policy = Policy()
    priority: int = 0
    due_at: Instant | None = None
    expires_at: Instant | None = None
    on_expiry: Literal["reject", "escalate", "wait", "approve"] = "reject"


class OfApproval(Data, frozen=True, gc=False, kw_only=True):
    """What every fact about a request names."""

    approval_id: Identifier
    request_version: Ordinal


class ApprovalClaimed(OfApproval, frozen=True, gc=False, kw_only=True):
    """Someone looks at it: a lease, no lock."""

    claimed_by: str = ""
    lease_until: Instant | None = None


class ApprovalVoteRecorded(OfApproval, frozen=True, gc=False, kw_only=True):
    """One person's vote. `voter` is an opaque id."""

    vote_id: str = ""
    voter: str = ""
    decision: str = ""
    groups: tuple[str, ...] = ()
    content_hash: Digest | None = None
    comment: str = ""


class ApprovalDecided(OfApproval, frozen=True, gc=False, kw_only=True):
    """Granted or denied. `decided_by` is `person`, `policy` or `expiry`; `decision` the word that was chosen.

    An edit is a full replacement of the arguments: `content_hash` is over the action as asked,
    `edited_hash` over the action with the new arguments.
    """

    decision_id: Identifier
    decision: str
    content_hash: Digest | None = None
    edited_hash: Digest | None = None
    args: Any = None
    response: Any = None
    comment: str = ""
    round: Ordinal = 1
    decided_by: str = "person"
    policy: str = ""
    policy_version: str = ""
    decided_at: Instant | None = None
    valid_until: Instant | None = None
    fence: Ordinal | None = None


class ApprovalDeferred(OfApproval, frozen=True, gc=False, kw_only=True):
    """Put off until later; it stays pending."""

    until: Instant | None = None
    reason: str = ""


class ApprovalEscalated(OfApproval, frozen=True, gc=False, kw_only=True):
    """Handed up; it stays pending."""

    to: str = ""
    level: Count = 0
    reason: str = ""


class ApprovalExpired(OfApproval, frozen=True, gc=False, kw_only=True):
    """Nobody decided in time; `on_expiry` is what followed."""

    on_expiry: str = ""
    decision_id: str = ""
    reason: str = ""


class ApprovalWithdrawn(OfApproval, frozen=True, gc=False, kw_only=True):
    """No decision is needed any more."""

    reason: str = ""


class DecisionRevokeRequested(OfApproval, frozen=True, gc=False, kw_only=True):
    """Please do not apply this decision. Signed like the decision itself."""

    decision_id: Identifier
    reason: str = ""
    key_id: str = ""
    signature: str = ""


class DecisionApplied(Data, frozen=True, gc=False, kw_only=True):
    """The agent acted on the decision."""

    decision_id: Identifier
    approval_id: str = ""
    request_version: Ordinal | None = None
    content_hash: Digest | None = None


class DecisionRefused(Data, frozen=True, gc=False, kw_only=True):
    """The agent did not act on the decision, or on its revocation.

    `reason` is late, superseded, hash_mismatch, bad_signature, duplicate, withdrawn, or too_late for a
    revocation (`of` is then `revoke`); after too_late, `compensation_task_id` may name what undoes the effect.
    """

    decision_id: Identifier
    reason: str
    of: Literal["decision", "revoke"] = "decision"
    approval_id: str = ""
    request_version: Ordinal | None = None
    detail: str = ""
    compensation_task_id: str = ""


class DecisionRevoked(Data, frozen=True, gc=False, kw_only=True):
    """The agent will not act on the decision, as asked."""

    decision_id: Identifier
    approval_id: str = ""
    request_version: Ordinal | None = None
