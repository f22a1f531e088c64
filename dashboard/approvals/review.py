"""A review: one approval under its row lock, with what the log says of the request and the votes of this round.

Whoever decides, expires, withdraws or renews works on a review, so they do it one after the other: the first one
finds the approval pending, everyone after it finds what the first one did (approvals.md, rule 3). On SQLite the
transaction itself is the lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec
from django.contrib.auth.models import User
from django.db.models import F

from coordination.approvals import Ballot, Standing, content_hash, standing, with_args
from coordination.canonical import NotCanonical
from coordination.events.approval import Policy
from coordination.requests import Request as RequestRow
from dashboard.approvals.errors import UnknownApproval
from dashboard.approvals.persons import asks_for, groups_of, is_service, voter_of
from dashboard.approvals.riskrules import risk_of
from dashboard.clock import database_now
from dashboard.events import record_at
from dashboard.models import Approval, Request, Vote

_REQUEST: Final = msgspec.json.Decoder(RequestRow)


@dataclass(frozen=True)
class Review:
    """One approval, locked until the end of the transaction; `now` is the database's clock behind the lock."""

    approval: Approval
    request: RequestRow
    now: int

    @cached_property
    def votes(self) -> list[Vote]:
        """The votes of this version and round that were cast in time, oldest first."""
        return votes_of(self.approval)

    @property
    def open(self) -> bool:
        """Whether it is still to be decided."""
        return self.approval.state == Approval.State.PENDING

    @cached_property
    def policy(self) -> Policy:
        """Who must agree."""
        return msgspec.convert(self.request.policy or {}, Policy)

    @cached_property
    def action(self) -> Mapping[str, Any]:
        """The action as it was asked for, whole: the folded row may leave out what has no name in the catalogue."""
        folded = _object(self.request.action)
        return folded if hash_of(folded) == self.request.content_hash else _object(action_as_sent(self.request))

    @property
    def proven(self) -> bool:
        """Whether what is shown has the hash the agent asked for: else it may execute something else."""
        return hash_of(self.action) == self.approval.content_hash

    @property
    def edit(self) -> Vote | None:
        """The last edit of this round: its arguments are those that would run."""
        return next((vote for vote in reversed(self.votes) if vote.verdict == "edit"), None)

    @property
    def content_hash(self) -> str:
        """The hash of what would run now: after an edit, of the action with its arguments."""
        return self.edit.args_hash if self.edit else self.approval.content_hash

    def hash_with(self, args: Any) -> str:
        """The hash of the action with other arguments. Raises NotCanonical."""
        return content_hash(with_args(self.action, args))

    def on_behalf(self, person: User) -> bool:
        """Whether the task runs on behalf of this person."""
        return asks_for(person, self.request.on_behalf_of)

    def standing(self) -> Standing:
        """Where the votes stand."""
        return standing_of(self.policy, self.votes, self.request.on_behalf_of)

    def recounted(self) -> "Review":
        """The same review with its votes read anew."""
        return Review(self.approval, self.request, self.now)


def locked(approval_id: str) -> Review:
    """Lock an approval and bring it to the version the log has. Raises UnknownApproval."""
    approval = Approval.objects.select_for_update().filter(approval_id=approval_id).first()
    if approval is None:
        request = _asked_for(approval_id)
        Approval.objects.get_or_create(approval_id=approval_id, defaults=_asked(request) | _ended(request))
        approval = Approval.objects.select_for_update().get(approval_id=approval_id)
    # Read behind the lock: a version that came while we waited for it counts.
    request = _asked_for(approval_id)
    if request.version > approval.version:
        _renew(approval, request)
    return Review(approval, request, database_now())


def _asked_for(approval_id: str) -> RequestRow:
    row = Request.objects.filter(approval_id=approval_id, version__gt=0).first()
    if row is None:
        raise UnknownApproval(approval_id)
    return _REQUEST.decode(row.body)


def _asked(request: RequestRow) -> dict[str, Any]:
    return {
        "tenant": request.tenant or "default",
        "run_id": request.run_id,
        "task_id": request.task_id,
        "agent_group": request.agent_group,
        "version": request.version,
        "content_hash": request.content_hash,
        "risk": risk_of(request)[0],
        "due_at": request.due_at,
        "expires_at": request.expires_at,
    }


def _ended(request: RequestRow) -> dict[str, Any]:
    """The end the log already knows of a request that we never saw open: our own tables were lost once."""
    outcome = request.outcome
    if outcome is None:
        return {}
    return {
        "state": outcome.state,
        "decided_at": outcome.at,
        "decided_by": "the log",
        "reason": outcome.reason,
    }


def _renew(approval: Approval, request: RequestRow) -> None:
    """A higher version replaces the request: its votes and its decision belong to the past."""
    fresh: dict[str, Any] = {
        **_asked(request),
        "round": 1,
        "state": Approval.State.PENDING,
        "reason": "",
        "decided_at": None,
        "decided_by": "",
        "first_viewed_at": None,
        "deferred_until": None,
        "escalated_at": None,
        "escalated_to": "",
        **_ended(request),
    }
    for name, value in fresh.items():
        setattr(approval, name, value)
    change(approval, *fresh)


def hash_of(action: Mapping[str, Any]) -> str:
    """The hash of an action, empty for one that has no canonical form."""
    try:
        return content_hash(action)
    except NotCanonical:
        return ""


def action_as_sent(request: RequestRow, version: int | None = None) -> Any:
    """The action in the stored record of a version (default: the last one); None if it is not known any more."""
    asked = request.asked.get(request.version if version is None else version)
    record = record_at(*asked.mark) if asked is not None else None
    try:
        body = msgspec.json.decode(record.value or b"") if record is not None else {}
        # A structured event carries its data inside.
        return _object(body).get("action") or _object(_object(body).get("data")).get("action")
    except msgspec.MsgspecError:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def change(approval: Approval, *fields: str) -> None:
    """Save fields of a locked approval; its revision grows, so that every page takes the newer row."""
    approval.revision += 1
    approval.save(update_fields=[*fields, "revision"])


def touch(approval_id: str) -> None:
    """Let the revision of an approval grow: something that its row shows was written elsewhere."""
    Approval.objects.filter(approval_id=approval_id).update(revision=F("revision") + 1)


def votes_of(approval: Approval) -> list[Vote]:
    """The votes that were cast in time on this version in this round, oldest first, with their persons."""
    found = Vote.objects.filter(
        approval_id=approval.approval_id, version=approval.version, round=approval.round, counts=True
    )
    return list(found.select_related("person").prefetch_related("person__groups").order_by("at", "id"))


def standing_of(policy: Policy, votes: list[Vote], on_behalf_of: tuple[str, ...]) -> Standing:
    """Where these votes stand under a policy."""
    chain = {voter_of(vote.person) for vote in votes if asks_for(vote.person, on_behalf_of)}
    return standing(policy, [_ballot(vote) for vote in votes], on_behalf_of=chain)


def _ballot(vote: Vote) -> Ballot:
    return Ballot(
        voter=voter_of(vote.person),
        decision=vote.verdict,
        groups=groups_of(vote.person),
        args_hash=vote.args_hash,
        service=is_service(vote.person),
    )
