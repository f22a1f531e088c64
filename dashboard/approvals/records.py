"""The records a decision is made of: the facts for the review class, and the signed command for the agent.

Everything is made of the decision's id and instant, so it has the same bytes however often it is made. No name of
a reviewer is in the command; facts name people by opaque ids.
"""

from typing import Any, Final

import msgspec

from coordination.eventlog import NewRecord
from coordination.instants import rfc3339
from dashboard import outbox
from dashboard.approvals.persons import groups_of, voter_of
from dashboard.approvals.review import Review
from dashboard.decisionkey import decision_key
from dashboard.models import Decision, Vote

GRANTING: Final = frozenset({"approve", "edit", "respond"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided: `by` is person, policy or expiry. `args` are those of an edit, `edited_hash` is over the
    action with them; `feedback` are the words for the agent; `rule` and its version decided, if a policy rule did.
    Instants in µs.
    """

    decision_id: str
    decision: str
    by: str
    at: int
    valid_until: int
    args: Any = None
    edited_hash: str = ""
    response: Any = None
    feedback: str = ""
    rule: str = ""
    rule_version: int = 0


def vote_recorded(review: Review, vote: Vote) -> NewRecord:
    """approval.vote.recorded"""
    vote_id = outbox.event_id("vote", vote.approval_id, vote.version, vote.round, vote.person_id)
    data = {
        "vote_id": vote_id,
        "voter": voter_of(vote.person),
        "decision": vote.verdict,
        "groups": sorted(groups_of(vote.person)),
        "content_hash": vote.args_hash,
        "comment": vote.comment,
    }
    return fact(review, "approval.vote.recorded", data, made_of=[vote_id], at=vote.at)


def decided(review: Review, verdict: Verdict) -> NewRecord:
    """approval.granted or approval.denied"""
    name = "approval.granted" if verdict.decision in GRANTING else "approval.denied"
    data = {
        "decision_id": verdict.decision_id,
        "decision": verdict.decision,
        "content_hash": review.approval.content_hash,
        "edited_hash": verdict.edited_hash,
        "args": verdict.args,
        "response": verdict.response,
        "comment": verdict.feedback,
        "round": review.approval.round,
        "decided_by": verdict.by,
        "policy": verdict.rule or review.policy.name,
        "policy_version": str(verdict.rule_version) if verdict.rule else review.policy.version,
        "decided_at": rfc3339(verdict.at),
        "valid_until": rfc3339(verdict.valid_until),
        "fence": review.request.fence,
    }
    return fact(review, name, data, made_of=[verdict.decision_id], at=verdict.at)


def expired(review: Review, verdict: Verdict) -> NewRecord:
    """approval.expired"""
    data = {"on_expiry": "reject", "decision_id": verdict.decision_id, "reason": verdict.feedback}
    return fact(review, "approval.expired", data, made_of=[verdict.decision_id], at=verdict.at)


def resume_requested(review: Review, verdict: Verdict, cause: NewRecord) -> NewRecord:
    """The signed task.resume.requested: what an agent needs to check and to go on, and nothing of who decided."""
    request = review.request
    data = {
        "decision_id": verdict.decision_id,
        "approval_id": request.approval_id,
        "request_version": review.approval.version,
        "content_hash": verdict.edited_hash or review.approval.content_hash,
        "fence": request.fence,
        "decision": verdict.decision,
        "args": verdict.args,
        "response": verdict.response,
        "feedback": verdict.feedback,
        "decided_at": rfc3339(verdict.at),
        "valid_until": rfc3339(verdict.valid_until),
    }
    return outbox.record(
        "task.resume.requested",
        made_of=[verdict.decision_id],
        at=verdict.at,
        run_id=request.run_id,
        task_id=request.task_id,
        tenant=request.tenant or "default",
        target_group=request.agent_group,
        attempt=request.fence,
        causation=id_of(cause),
        idempotency_key=verdict.decision_id,
        expiry_at=verdict.valid_until,
        data=decision_key().sign(_said(data)),
    )


def revoke_requested(review: Review, decision: Decision, reason: str, at: int) -> NewRecord:
    """The signed decision.revoke.requested."""
    request = review.request
    data = {
        "approval_id": request.approval_id,
        "request_version": decision.version,
        "decision_id": decision.decision_id,
        "reason": reason,
    }
    return outbox.record(
        "decision.revoke.requested",
        made_of=[decision.decision_id],
        at=at,
        run_id=request.run_id,
        task_id=request.task_id,
        tenant=request.tenant or "default",
        target_group=request.agent_group,
        attempt=request.fence,
        causation=id_of(outbox.unpack(decision.records)[-1]),
        idempotency_key=f"revoke-{decision.decision_id}",
        data=decision_key().sign(_said(data)),
    )


def fact(review: Review, name: str, data: dict[str, Any], *, made_of: list[object], at: int) -> NewRecord:
    """A fact about the request of a review."""
    request = review.request
    about = {"approval_id": request.approval_id, "request_version": review.approval.version}
    return outbox.record(
        name,
        made_of=[request.approval_id, review.approval.version, *made_of],
        at=at,
        run_id=request.run_id,
        task_id=request.task_id,
        tenant=request.tenant or "default",
        attempt=request.fence,
        causation=request.request_id,
        data=_said(about | data),
    )


def id_of(record: NewRecord) -> str:
    """The `id` attribute of a record of ours."""
    return next(value.decode() for name, value in record.headers if name == "ce_id")


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """Without what has nothing to say. Arguments and answers are values of their own: an empty one is one."""
    values = ("args", "response")
    return {name: value for name, value in data.items() if value is not None and (value != "" or name in values)}
