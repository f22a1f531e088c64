"""All that a reviewer sees of one request: what changes, who voted, who may decide, what became of decisions.

What is asked for in its favour stands in `reviewevidence`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.contrib.auth.models import User

from coordination.approvals import AGREEING, may_vote
from coordination.events.approval import Policy
from coordination.requests import Request as RequestRow
from coordination.visible import visible, warnings
from dashboard.api.argdiff import difference, listing, text
from dashboard.api.instants import iso
from dashboard.api.queue import request_of, rows_of
from dashboard.api.receiptrows import receipt_row
from dashboard.api.reviewmask import as_seen
from dashboard.approvals.claims import viewed
from dashboard.approvals.persons import asks_for, is_service, voter_of
from dashboard.approvals.review import action_as_sent, hash_of, standing_of
from dashboard.approvals.riskrules import risk_of
from dashboard.models import Approval, Decision, Request, Vote
from dashboard.permissions import Person, may_decide

ALL_DECISIONS: Final = ("approve", "reject", "edit", "respond")
KEYS: Final = {"approve": "a", "reject": "r", "edit": "e", "respond": "d"}
VOTED: Final = {
    "approve": "approved",
    "reject": "rejected",
    "edit": "edited the arguments",
    "respond": "answered",
}
UNPROVEN: Final = (
    "What is shown does not have the hash the agent asked for, so it might execute something else. Reject it, or let "
    "the agent ask again."
)


class Review(msgspec.Struct, kw_only=True):
    """The parts of a review page; each is plain data for the template and the API."""

    row: dict[str, Any]
    request: RequestRow
    args: Any
    action: dict[str, Any]
    changes: dict[str, Any]
    votes: list[dict[str, Any]]
    policy: dict[str, Any]
    receipts: list[dict[str, Any]]
    allowed: list[str]
    off: dict[str, str]
    warnings: list[str]
    since: dict[str, Any] | None
    dangerous: bool

    @property
    def buttons(self) -> list[tuple[str, str, str, str]]:
        """(decision, label, key, why it is off) of each button of the foot."""
        return [(word, word.capitalize(), KEYS.get(word, ""), self.off[word]) for word in self.allowed]

    @property
    def question(self) -> str:
        """What is asked, with nothing hidden in it."""
        return visible(self.request.question)

    @property
    def rule(self) -> dict[str, Any] | None:
        """The policy rule that decided, if one did."""
        return self.receipts[0]["rule"] if self.receipts else None

    @property
    def refusal(self) -> str:
        """Why nothing can be decided by this person now; empty if something can."""
        reasons = {self.off.get(word, "") for word in self.allowed}
        return "" if "" in reasons else next(iter(reasons), "")


def review(found: Request, person: Person, now: int, *, since: int | None = None) -> Review:
    """The review of one request for one person; a dozen queries, however long the queue is. `since` is the version
    that was shown before: what changed from it is told first."""
    request = request_of(found)
    approval = Approval.objects.filter(approval_id=found.approval_id).first()
    round_ = approval.round if approval and approval.version == request.version else 1
    votes = list(
        Vote.objects.filter(approval_id=found.approval_id, version=request.version)
        .select_related("person")
        .prefetch_related("person__groups")
        .order_by("at", "id")
    )
    action = whole_action(request)
    edit = _last_edit(votes, round_)
    edited = edit.args if edit else None
    row = rows_of([found], now)[0]
    policy = _policy(request, votes, round_, person)
    whole = Review(
        row=row,
        request=request,
        args=action.get("args") if edited is None else edited,
        action=action,
        changes=_changes(request, action, edited) | {"edited": _edited(edit)},
        votes=_votes(request, votes, round_),
        policy=policy,
        receipts=_receipts(request, row),
        allowed=[word for word in ALL_DECISIONS if word in (*(request.allowed or ("approve",)), "reject")],
        off=refusals(row, request, action, policy, person),
        warnings=warnings({"action": action | {"args": edited}} if edited is not None else {"action": action}),
        since=_since(request, since, action),
        dangerous=row["risk"] in ("high", "critical") and request.reversibility == "no",
    )
    return as_seen(whole, person)


def whole_action(request: RequestRow) -> dict[str, Any]:
    """The action as it was sent: the folded row may leave out what has no name in the catalogue."""
    folded = dict(request.action) if isinstance(request.action, Mapping) else {}
    if hash_of(folded) == request.content_hash:
        return folded
    sent = action_as_sent(request)
    return sent if isinstance(sent, dict) else folded


def _last_edit(votes: list[Vote], round_: int) -> Vote | None:
    return next((one for one in reversed(votes) if one.verdict == "edit" and one.counts and one.round == round_), None)


def _since(request: RequestRow, version: int | None, action: dict[str, Any]) -> dict[str, Any] | None:
    """What changed from an earlier version to this one; None where nothing earlier was shown."""
    if version is None or version >= request.version:
        return None
    before = action_as_sent(request, version)
    found = difference(before, action) if before is not None else None
    return {
        "old": version,
        "new": request.version,
        "old_text": str(version),
        "new_text": str(request.version),
        "changes": found.changes if found else (),
        "known": found is not None,
    }


def note_view(found: Review, person: Person) -> None:
    """Note the first time that somebody who may decide has opened the request; once noted, nothing is written."""
    approval = Approval.objects.filter(approval_id=found.request.approval_id).only("first_viewed_at").first()
    if found.row["open"] and may_decide(person) and (approval is None or approval.first_viewed_at is None):
        viewed(found.request.approval_id)


def refusals(
    row: Mapping[str, Any], request: RequestRow, action: dict[str, Any], policy: Mapping[str, Any], person: Person
) -> dict[str, str]:
    """Decision -> why this person cannot make it now, in a sentence; empty where they can. The same rules as those
    under the lock (`approvals.clicks`), which have the last word."""
    general = ""
    if not row["open"]:
        general = f"This request is {row['state']}. Nothing is left to decide."
    elif not may_decide(person):
        general = "You may look, but not decide: you have no right to vote on approvals."
    elif isinstance(person, User) and is_service(person):
        general = "Service accounts never vote."
    elif policy["voted"]:
        general = "Your vote is in."
    agreeing = general or policy["barred"] or ("" if hash_of(action) == request.content_hash else UNPROVEN)
    return {word: agreeing if word in AGREEING else general for word in ALL_DECISIONS}


def _changes(request: RequestRow, action: Mapping[str, Any], edited: Any) -> dict[str, Any]:
    """What will change: an edit against what the agent proposed, else its preview, else the bare arguments."""
    preview = request.preview if isinstance(request.preview, Mapping) else {}
    if edited is not None:
        found, heads = difference(action.get("args"), edited), ("Agent proposed", "Will run")
    elif preview.get("before") is not None and preview.get("after") is not None:
        found, heads = difference(preview["before"], preview["after"]), ("Now", "Afterwards")
    else:
        found, heads = listing(action.get("args")), ("", "Will run")
    preview_shown = edited is None and heads[0] == "Now"
    prose = preview.get("after") if preview.get("kind") == "text" and isinstance(preview.get("after"), str) else None
    return {
        "changes": found.changes,
        # A preview is the agent's word; the arguments are what the hash covers. Both are shown.
        "arguments": listing(action.get("args")).changes if preview_shown or prose else (),
        "same": found.same,
        "more": found.more,
        "old_head": heads[0],
        "new_head": heads[1],
        # Without a preview the arguments themselves are shown, all of them.
        "complete": (not preview or bool(preview.get("complete"))) and not found.more,
        "text": None if prose is None or edited is not None else visible(prose),
    }


def _edited(edit: Vote | None) -> dict[str, Any] | None:
    return None if edit is None else {"by": edit.person.get_username(), "at": edit.at}


def _votes(request: RequestRow, votes: list[Vote], round_: int) -> list[dict[str, Any]]:
    """Each vote in words; one that does not count says why and has no tick."""
    counted = [vote for vote in votes if vote.counts and vote.round == round_]
    ignored = standing_of(_typed(request.policy), counted, request.on_behalf_of).ignored
    return [_vote(vote, "" if vote not in counted else ignored.get(voter_of(vote.person), "")) for vote in votes]


def _vote(vote: Vote, ignored: str) -> dict[str, Any]:
    note = vote.note or (f"does not count: {ignored}" if ignored else "")
    sign = "none" if note or not vote.counts else "failed" if vote.verdict == "reject" else "done"
    return {
        "person": vote.person.get_username(),
        "verdict": vote.verdict,
        "words": VOTED.get(vote.verdict, vote.verdict),
        "comment": vote.comment,
        "counts": vote.counts and not ignored,
        "note": note,
        "at": vote.at,
        "sign": {"sign": sign, "label": vote.verdict},
    }


def _policy(request: RequestRow, votes: list[Vote], round_: int, person: Person) -> dict[str, Any]:
    policy = _typed(request.policy)
    counted = [vote for vote in votes if vote.counts and vote.round == round_]
    stands = standing_of(policy, counted, request.on_behalf_of)
    barred = ""
    if isinstance(person, User):
        chain = [voter_of(person)] if asks_for(person, request.on_behalf_of) else []
        barred = may_vote(voter_of(person), on_behalf_of=chain, service=is_service(person))
    return {
        "name": policy.name,
        "version": policy.version,
        "rule": policy.rule,
        "text": stands.text,
        "have": stands.have,
        "need": stands.need,
        "missing": stands.missing,
        "barred": f"Your agreement would not count: {barred}." if barred else "",
        "voted": any(vote.person_id == person.pk for vote in counted),
    }


def _typed(policy: Any) -> Policy:
    """The policy as the protocol has it; one that does not fit asks for any one person."""
    try:
        return msgspec.convert(policy or {}, Policy)
    except msgspec.ValidationError:
        return Policy()


def _receipts(request: RequestRow, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The receipts of the last decisions, the one of the row first."""
    latest = row["receipt"]
    others = (
        Decision.objects.filter(approval_id=request.approval_id, kind="decision")
        .exclude(pk=latest["decision_id"] if latest else "")
        .select_related("person")
        .defer("records")
        .order_by("-saved_at")[:4]
    )
    return ([latest] if latest else []) + [receipt_row(each, request.receipts) for each in others]


def detail(found: Review) -> dict[str, Any]:
    """The review as `GET approvals/{id}` gives it: the row with the whole action, votes and receipt."""
    request = found.request
    return {
        **found.row,
        "action": found.action,
        "will_run": found.args,
        "kind_of_request": request.kind,
        "question": request.question,
        "preview": request.preview,
        "reversibility": request.reversibility,
        "risk_reasons": list(risk_of(request)[1]),
        "allowed_decisions": found.allowed,
        "on_behalf_of": list(request.on_behalf_of),
        "fence": request.fence,
        "policy": found.policy,
        "votes": [{**vote, "at": iso(vote["at"])} for vote in found.votes],
        "receipts": found.receipts,
        "receipt": found.receipts[0] if found.receipts else None,
        "refusal": found.refusal,
        "off": found.off,
        "warnings": found.warnings,
        "shown": text({"target": found.action.get("target") or "", "args": found.args}),
    }
