"""Deciding: one transaction from the click to the outbox (approvals.md, rules 1, 2, 3, 6 and 7).

Under the row lock: the click is checked against the request as it is now and the database's clock; the vote is
kept; where the votes suffice, the approval ends, and the decision goes into the outbox with its final bytes. All of
it commits together with an entry in the audit trail, or none of it. Nothing is sent from here.

The same click again is the same decision: the one who made it gets the receipt, whether or not the first answer
arrived. A click that comes too late keeps its comment as a note and is told who won.
"""

from typing import Any, Final

import msgspec
from django.db import IntegrityError, transaction

from coordination.approvals import decision_id, valid_until
from coordination.eventlog import NewRecord
from dashboard import outbox
from dashboard.approvals import records
from dashboard.approvals.announcement import announce
from dashboard.approvals.clicks import Click, objection, own_vote
from dashboard.approvals.errors import AlreadyDecided, InvalidDecision, KeyReused, NotDecided
from dashboard.approvals.persons import voter_of
from dashboard.approvals.receipts import Receipt, receipt
from dashboard.approvals.records import Verdict
from dashboard.approvals.review import Review, change, locked
from dashboard.approvals.riskrules import risk_of
from dashboard.audit import enter
from dashboard.models import Answer, Approval, Decision, Vote

VALIDITY: Final = 24 * 3600 * 1_000_000
"""How long (µs) a decision may be applied where neither the policy nor an expiry says so."""
MILLISECOND: Final = 1000


def decide(
    *,
    approval_id: str,
    user: Any,
    decision: str,
    request_version: int,
    content_hash: str,
    comment: str = "",
    args: Any = None,
    response: Any = None,
    idempotency_key: str | None = None,
    opened_payload: bool = False,
    dwell_ms: int | None = None,
) -> Receipt:
    """Cast a vote (approve, reject, edit, respond) on a version of a request and return the receipt.

    `request_version` and `content_hash` are those that were shown; after an edit by somebody else in this round the
    hash is that of the action with the edited arguments (`Vote.args_hash` of the edit). `args` replace all arguments;
    `response` answers a question (else the comment does). `opened_payload` and `dwell_ms` are what the page saw of
    the reading. Raises AlreadyDecided, Expired, RequestChanged, NotAllowed, InvalidDecision, KeyReused and
    UnknownApproval.
    """
    click = Click(
        approval_id=approval_id,
        user=user,
        decision=decision,
        version=request_version,
        content_hash=content_hash,
        comment=comment,
        args=args,
        response=response,
        key=idempotency_key or "",
        opened_payload=opened_payload,
        dwell_ms=dwell_ms,
    )
    try:
        with transaction.atomic():
            outcome = _decided(click)
    except IntegrityError as error:
        # Two requests with one key at the same moment, about two approvals: the row lock does not order them.
        if click.key and Answer.objects.filter(person=click.person, key=click.key).exists():
            raise KeyReused from error
        raise
    if isinstance(outcome, NotDecided):
        raise outcome
    return outcome


def _decided(click: Click) -> Receipt | NotDecided:
    """What comes of a click. A loss is returned, not raised, so that the note about it commits."""
    review = locked(click.approval_id)
    if click.key and (answered := Answer.objects.filter(person=click.person, key=click.key).first()):
        return msgspec.convert(answered.body, Receipt) if answered.fingerprint == click.fingerprint else KeyReused()
    if own_vote(review, click):
        return receipt(review.approval, review.request)
    refusal = objection(review, click)
    if refusal is not None:
        if isinstance(refusal, AlreadyDecided):
            _keep_note(review, click, refusal)
        return refusal
    vote = _cast(review, click)
    _follow(review.recounted(), click, vote)
    saved = receipt(review.approval, review.request)
    if click.key:
        _keep_answer(click, saved, review.now)
    announce(click.approval_id)
    return saved


def _keep_note(review: Review, click: Click, lost: AlreadyDecided) -> None:
    approval = review.approval
    note = f"Too late: {lost.decision} by {lost.winner}."
    Vote.objects.create(
        approval_id=approval.approval_id,
        version=approval.version,
        round=approval.round,
        person=click.person,
        verdict=click.decision,
        comment=click.comment,
        counts=False,
        note=note,
        at=review.now,
    )
    detail = {"version": approval.version, "decision": click.decision, "lost_to": lost.winner, "won": lost.decision}
    enter(voter_of(click.person), "approval.vote.lost", f"approval/{approval.approval_id}", detail)
    announce(approval.approval_id)


def _cast(review: Review, click: Click) -> Vote:
    approval = review.approval
    return Vote.objects.create(
        approval_id=approval.approval_id,
        version=approval.version,
        round=approval.round,
        person=click.person,
        verdict=click.decision,
        comment=click.comment,
        args=click.args,
        args_hash=review.hash_with(click.args) if click.decision == "edit" else click.content_hash,
        opened_payload=click.opened_payload,
        dwell_ms=click.dwell_ms,
        at=review.now,
    )


def _follow(review: Review, click: Click, vote: Vote) -> None:
    """What a vote leads to: the end of the approval, or one vote more on the log."""
    stands, approval = review.standing(), review.approval
    about = {"version": approval.version, "round": approval.round, "content_hash": vote.args_hash}
    detail = about | {"decision": click.decision, "comment": click.comment, "standing": stands.text}
    recorded = records.vote_recorded(review, vote)
    if stands.state == "pending":
        change(approval)
        row_id = outbox.event_id("vote", approval.approval_id, approval.version, approval.round, vote.person_id)
        put(review, row_id, [recorded], kind="vote", verdict=vote.verdict, person=vote.person)
    else:
        verdict = _verdict(review, click, vote)
        end(review, verdict, decided_by=vote.person.get_username(), vote=vote, before=[recorded])
        detail |= {"decision_id": verdict.decision_id, "edited_hash": verdict.edited_hash}
    enter(voter_of(click.person), "approval.vote", f"approval/{approval.approval_id}", detail)


def _verdict(review: Review, click: Click, vote: Vote) -> Verdict:
    """The final verdict: with agreement to an edit, the edit; the response of whoever answered last."""
    edit = review.edit if click.decision != "reject" else None
    return Verdict(
        decision_id=decision_id(review.approval.approval_id, review.approval.version, review.approval.round),
        decision="edit" if edit else click.decision,
        by="person",
        at=review.now,
        valid_until=validity(review),
        args=edit.args if edit else None,
        edited_hash=edit.args_hash if edit else "",
        response=click.answer if click.decision == "respond" else None,
        feedback=click.comment,
    )


def validity(review: Review) -> int:
    """Until when (µs) a decision made now may be applied."""
    asked = review.policy.validity_ms
    span = asked * MILLISECOND if asked else None
    until = valid_until(review.approval.expires_at, review.now, span)
    return review.now + VALIDITY if until is None else until


def end(
    review: Review,
    verdict: Verdict,
    *,
    decided_by: str,
    vote: Vote | None = None,
    before: list[NewRecord] | None = None,
    state: str | None = None,
) -> Decision:
    """End a pending approval by a verdict: its row, its decision, its records. The caller enters it into the audit.

    `before` are records that go ahead of the fact. Raises InvalidDecision when they would be too large.
    """
    approval = review.approval
    granted = verdict.decision in records.GRANTING
    approval.state = state or (Approval.State.GRANTED if granted else Approval.State.DENIED)
    approval.decided_at, approval.decided_by, approval.reason = review.now, decided_by, verdict.feedback
    _finish(approval)
    told = records.expired if approval.state == Approval.State.EXPIRED else records.decided
    fact = told(review, verdict)
    command = records.resume_requested(review, verdict, fact)
    return put(
        review,
        verdict.decision_id,
        [*(before or ()), fact, command],
        hold=undo_window(review, verdict) if vote else 0,
        kind="decision",
        verdict=verdict.decision,
        person=vote.person if vote else None,
        valid_until=verdict.valid_until,
        provenance=_provenance(review, verdict),
    )


def undo_window(review: Review, verdict: Verdict) -> int:
    """How long (µs) a person may take a decision back: shorter near its end, so that holding never makes it late."""
    return max(0, min(outbox.UNDO_WINDOW, (verdict.valid_until - review.now) // 4))


def _finish(approval: Approval) -> None:
    """The conditional update: the lock has made sure of it, and the table makes sure of the lock."""
    found = Approval.objects.filter(
        approval_id=approval.approval_id,
        state=Approval.State.PENDING,
        version=approval.version,
        content_hash=approval.content_hash,
        round=approval.round,
    ).update(
        state=approval.state,
        decided_at=approval.decided_at,
        decided_by=approval.decided_by,
        reason=approval.reason,
        revision=approval.revision + 1,
    )
    if found != 1:
        raise InvalidDecision("The approval changed behind its lock; nothing was saved. Try again.")
    approval.revision += 1


def _provenance(review: Review, verdict: Verdict) -> dict[str, Any]:
    """Where a decision comes from: the person, the policy and its version, or expiry (approvals.md, rule 17)."""
    risk, reasons = risk_of(review.request)
    return {
        "by": verdict.by,
        "policy": review.policy.name,
        "policy_version": review.policy.version,
        "rule": review.policy.rule,
        "votes": [{"voter": voter_of(vote.person), "decision": vote.verdict, "at": vote.at} for vote in review.votes],
        "risk": risk,
        "risk_reasons": list(reasons),
        "edited_hash": verdict.edited_hash,
        **({"policy_rule": verdict.rule, "policy_rule_version": verdict.rule_version} if verdict.rule else {}),
    }


def put(review: Review, row_id: str, made: list[NewRecord], *, hold: int = 0, **fields: Any) -> Decision:
    """Put records about the request of a review into the outbox."""
    approval = review.approval
    return outbox.put(
        row_id,
        made,
        saved_at=review.now,
        hold=hold,
        approval_id=approval.approval_id,
        version=approval.version,
        round=approval.round,
        run_id=approval.run_id,
        task_id=approval.task_id,
        **fields,
    )


def _keep_answer(click: Click, saved: Receipt, at: int) -> None:
    Answer.objects.create(
        person=click.person,
        key=click.key,
        fingerprint=click.fingerprint,
        status=201,
        body=msgspec.to_builtins(saved),
        at=at,
    )
