"""All that a reviewer sees of one request: what changes, who voted, why it is asked, what became of decisions."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.contrib.auth.models import User
from django.db.models import Count

from coordination.approvals import content_hash, may_vote
from coordination.errors import CoordinationError
from coordination.events.approval import Policy
from coordination.lag import words
from coordination.requests import Request as RequestRow
from dashboard.api.argdiff import difference, listing
from dashboard.api.chain import chain
from dashboard.api.instants import iso
from dashboard.api.queue import request_of, rows_of
from dashboard.api.requestrows import receipt_row
from dashboard.api.taskbody import task_of
from dashboard.approvals.claims import viewed
from dashboard.approvals.persons import is_service, names_of, voter_of
from dashboard.approvals.review import standing_of
from dashboard.approvals.riskrules import risk_of
from dashboard.models import Agent, Approval, ConsumerGroup, Decision, Request, Run, Task, Vote
from dashboard.permissions import Person, may_decide

DAY: Final = 86_400_000_000
ALL_DECISIONS: Final = ("approve", "reject", "edit", "respond")


VOTED: Final = {
    "approve": "approved",
    "reject": "rejected",
    "edit": "edited the arguments",
    "respond": "answered",
}


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
    refusal: str
    dangerous: bool


def review(found: Request, person: Person, now: int) -> Review:
    """The review of one request for one person; a dozen queries, however long the queue is."""
    request = request_of(found)
    approval = Approval.objects.filter(approval_id=found.approval_id).first()
    row = rows_of([found], now)[0]
    round_ = approval.round if approval and approval.version == request.version else 1
    votes = list(
        Vote.objects.filter(approval_id=found.approval_id, version=request.version)
        .select_related("person")
        .order_by("at", "id")
    )
    action = dict(request.action) if isinstance(request.action, Mapping) else {}
    edit = next(
        (vote for vote in reversed(votes) if vote.verdict == "edit" and vote.counts and vote.round == round_), None
    )
    edited = edit.args if edit else None
    return Review(
        row=row | {"content_hash": edit.args_hash} if edit else row,
        request=request,
        args=action.get("args") if edited is None else edited,
        action=action,
        changes=_changes(request, action, edited) | {"edited": _edited(edit)},
        votes=_votes(request, votes, round_),
        policy=_policy(request, votes, round_, person),
        receipts=_receipts(request, now),
        allowed=[word for word in ALL_DECISIONS if word in (request.allowed or ("approve", "reject"))],
        refusal=refusal(row, request, person),
        dangerous=row["risk"] in ("high", "critical") and request.reversibility == "no",
    )


def note_view(found: Review, person: Person) -> None:
    """Note the first time that somebody who may decide has opened the request; once noted, nothing is written."""
    approval = Approval.objects.filter(approval_id=found.request.approval_id).only("first_viewed_at").first()
    if found.row["open"] and may_decide(person) and (approval is None or approval.first_viewed_at is None):
        viewed(found.request.approval_id)


def refusal(row: Mapping[str, Any], request: RequestRow, person: Person) -> str:
    """Why this person cannot decide now, in a sentence; empty if they can."""
    if not row["open"]:
        return f"This request is {row['state']}. Nothing is left to decide."
    if not may_decide(person):
        return "You may look, but not decide: you have no right to vote on approvals."
    return ""


def _changes(request: RequestRow, action: Mapping[str, Any], edited: Any) -> dict[str, Any]:
    """What will change: an edit against what the agent proposed, else its preview, else the bare arguments."""
    preview = request.preview if isinstance(request.preview, Mapping) else {}
    if edited is not None:
        found, heads = difference(action.get("args"), edited), ("Agent proposed", "Will run")
    elif preview.get("before") is not None and preview.get("after") is not None:
        found, heads = difference(preview["before"], preview["after"]), ("Now", "Afterwards")
    else:
        found, heads = listing(action.get("args")), ("", "Will run")
    return {
        "changes": found.changes,
        "same": found.same,
        "more": found.more,
        "old_head": heads[0],
        "new_head": heads[1],
        # Without a preview the arguments themselves are shown, all of them.
        "complete": (not preview or bool(preview.get("complete"))) and not found.more,
        "text": preview.get("after")
        if preview.get("kind") == "text" and isinstance(preview.get("after"), str)
        else None,
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
        on_behalf = not names_of(person).isdisjoint(request.on_behalf_of)
        chain = [voter_of(person)] if on_behalf else []
        barred = may_vote(voter_of(person), on_behalf_of=chain, service=is_service(person))
    return {
        "name": policy.name,
        "version": policy.version,
        "rule": policy.rule,
        "text": stands.text,
        "have": stands.have,
        "need": stands.need,
        "missing": stands.missing,
        "barred": f"Your vote would not count: {barred}." if barred else "",
        "voted": any(vote.person_id == person.pk for vote in counted),
    }


def _typed(policy: Any) -> Policy:
    """The policy as the protocol has it; one that does not fit asks for any one person."""
    try:
        return msgspec.convert(policy or {}, Policy)
    except msgspec.ValidationError:
        return Policy()


def _receipts(request: RequestRow, now: int) -> list[dict[str, Any]]:
    decisions = (
        Decision.objects.filter(approval_id=request.approval_id, kind="decision")
        .select_related("person")
        .defer("records")
        .order_by("-saved_at")[:5]
    )
    return [receipt_row(each, request.receipts, waits=_waits(request, each, now)) for each in decisions]


def _waits(request: RequestRow, decision: Decision, now: int) -> str:
    """What is known of the agent group while it has not answered a published decision."""
    if decision.published_at is None:
        return ""
    group = ConsumerGroup.objects.filter(agent_group=request.agent_group).first()
    silent = f"No answer from {request.agent_group or 'the agent'} for {words(max(0, now - decision.published_at))}"
    return f"{silent}; {group.waiting} tasks wait before it." if group and group.waiting else f"{silent}."


def evidence(found: Review, now: int) -> dict[str, Any]:
    """The third column: chain, attempts, facts the agent cannot write, cost, how such requests went before."""
    request = found.request
    task = Task.objects.filter(run_id=request.run_id, task_id=request.task_id).first()
    run = Run.objects.filter(run_id=request.run_id).first()
    whole = task_of(task) if task else None
    return {
        "chain": chain(whole) if whole else [],
        "task": whole,
        "run": run,
        "facts": _facts(found, now),
        "history": _history(request, now),
    }


def _facts(found: Review, now: int) -> list[tuple[str, str]]:
    request = found.request
    agent = Agent.objects.filter(agent_group=request.agent_group).order_by("-last_heartbeat_at").first()
    group = ConsumerGroup.objects.filter(agent_group=request.agent_group).first()
    beat = agent.last_heartbeat_at if agent else None
    return [
        ("Hash over what is shown", _hash_words(found)),
        ("Last heartbeat of the group", "none seen" if beat is None else f"{words(max(0, now - beat))} ago"),
        ("Tasks waiting before the group", "unknown" if group is None or group.waiting is None else str(group.waiting)),
        ("Verdict on the group", group.verdict if group else "unknown"),
        ("Claimed risk", request.risk or "none claimed"),
    ]


def _hash_words(found: Review) -> str:
    try:
        same = content_hash(found.action) == found.request.content_hash
    except CoordinationError:
        return "cannot be computed"
    return "matches the request" if same else "differs from the request"


def _history(request: RequestRow, now: int) -> list[tuple[str, str]]:
    """How requests of the same agent group went in the last 30 days."""
    ours = Approval.objects.filter(agent_group=request.agent_group, decided_at__gte=now - 30 * DAY)
    counts = dict(ours.values_list("state").annotate(Count("approval_id")))
    if not counts:
        return []
    return [(state, f"{counts[state]:,}") for state in ("granted", "denied", "expired", "withdrawn") if state in counts]


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
    }
