"""A click: what a person decided, on what they were shown; and why it cannot count."""

import re
from collections.abc import Callable
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import msgspec
from django.contrib.auth.models import User
from referencing import Registry
from referencing.exceptions import Unresolvable

from coordination.approvals import AGREEING, may_vote
from coordination.attributes import MAX_DATA_BYTES
from coordination.canonical import NotCanonical, digest
from coordination.instants import rfc3339
from dashboard.approvals.errors import (
    AlreadyDecided,
    Expired,
    InvalidDecision,
    NotAllowed,
    NotDecided,
    RequestChanged,
)
from dashboard.approvals.persons import is_service
from dashboard.approvals.review import Review, action_as_sent
from dashboard.models import Approval, Decision
from dashboard.permissions import may_decide

SIZE_LIMIT: Final = MAX_DATA_BYTES - 8 * 1024
"""How large (bytes of JSON) arguments, answer and comment may be: they travel in one record with the rest."""
# An escaped NUL, and not a backslash followed by the word u0000.
NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
EXPIRY: Final = "expiry"


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """`version` and `content_hash` are those of what the person saw."""

    approval_id: str
    user: Any
    decision: str
    version: int
    content_hash: str
    comment: str = ""
    args: Any = None
    response: Any = None
    key: str = ""
    opened_payload: bool = False
    dwell_ms: int | None = None

    @property
    def person(self) -> User:
        """Who clicked."""
        user: User = self.user
        return user

    @property
    def answer(self) -> Any:
        """What answers a question: the response, else the comment."""
        return self.comment if self.response is None else self.response

    @property
    def fingerprint(self) -> str:
        """Equal for the same click made again. Raises NotCanonical."""
        return digest(
            [
                self.approval_id,
                self.decision,
                self.version,
                self.content_hash,
                self.comment,
                self.args,
                self.response,
            ]
        )


def objection(review: Review, click: Click) -> NotDecided | None:
    """The first reason why this click cannot count, None if it does."""
    for rule in RULES:
        found = rule(review, click)
        if found is not None:
            return found
    return None


def ended(review: Review, comment: str = "") -> AlreadyDecided | None:
    """Who won, if the approval is not pending any more."""
    approval = review.approval
    if review.open:
        return None
    when, noted = approval.decided_at or review.now, bool(comment.strip())
    if approval.state == Approval.State.EXPIRED:
        return Expired(approval.expires_at or when, review.now, noted=noted)
    decision = Decision.objects.filter(
        approval_id=approval.approval_id, version=approval.version, round=approval.round, kind="decision"
    ).first()
    word = decision.verdict if decision else str(approval.state)
    return AlreadyDecided(approval.decided_by, when, word, approval.reason, clicked_at=review.now, noted=noted)


def _open(review: Review, click: Click) -> NotDecided | None:
    # What replaced the version that was shown is more than who decided the new one.
    return ended(review, click.comment) if click.version == review.approval.version else None


def _as_shown(review: Review, click: Click) -> NotDecided | None:
    """A reject may be of what was asked for or of what an edit made of it; everything else is of what would run."""
    accepted = {review.content_hash}
    if click.decision == "reject":
        accepted.add(review.approval.content_hash)
    if click.version == review.approval.version and click.content_hash in accepted:
        return None
    now = dict(review.action)
    if click.version == review.approval.version and review.edit is not None:
        difference = {"before": now, "after": {**now, "args": review.edit.args}}
    else:
        difference = {"before": action_as_sent(review.request, click.version), "after": now}
    return RequestChanged(click.version, review.approval.version, difference)


def _in_time(review: Review, click: Click) -> NotDecided | None:
    expires_at = review.approval.expires_at
    if expires_at is None or expires_at > review.now:
        return None
    return Expired(expires_at, review.now, noted=bool(click.comment.strip()))


def _allowed(review: Review, click: Click) -> NotDecided | None:
    if not may_decide(click.person):
        return NotAllowed("You have no right to vote on approvals.")
    if is_service(click.person):
        return NotAllowed("Service accounts never vote.")
    if click.decision not in {*review.request.allowed, "reject"}:
        offered = ", ".join(dict.fromkeys((*review.request.allowed, "reject")))
        return InvalidDecision(f"{click.decision!r} was not asked for; the request allows {offered}.")
    if click.decision in AGREEING and review.on_behalf(click.person):
        reason = may_vote("self", on_behalf_of=["self"], service=False)
        return NotAllowed(f"Your agreement would not count: {reason}.")
    return None


def _proven(review: Review, click: Click) -> NotDecided | None:
    if click.decision in AGREEING and not review.proven:
        return NotAllowed(
            "What is shown does not have the hash the agent asked for, so it might execute something else. "
            "Reject it, or let the agent ask again."
        )
    return None


def _once(review: Review, click: Click) -> NotDecided | None:
    own = next((vote for vote in review.votes if vote.person_id == click.person.pk), None)
    if own is None:
        return None
    return NotAllowed(f"You voted already: {own.verdict} at {rfc3339(own.at)}. A vote is given once.")


def _makes_sense(review: Review, click: Click) -> NotDecided | None:
    if click.decision == "respond" and click.answer in ("", None):
        return InvalidDecision("Write the answer that the agent gets.")
    if click.decision != "edit" and click.args is not None:
        return InvalidDecision("Only an edit has arguments; decide with edit if they are to be replaced.")
    return _sendable(click) or (_fits(review, click.args) if click.decision == "edit" else None)


def _sendable(click: Click) -> InvalidDecision | None:
    try:
        encoded = msgspec.json.encode([click.args, click.response, click.comment])
        digest([click.args, click.response, click.comment])
    except (NotCanonical, TypeError, ValueError) as error:
        return InvalidDecision(f"This cannot be sent: {error}")
    if NUL.search(encoded):
        return InvalidDecision("This cannot be sent: it contains the character NUL.")
    if len(encoded) > SIZE_LIMIT:
        return InvalidDecision(f"{len(encoded)} bytes of arguments, answer and comment; the limit is {SIZE_LIMIT}.")
    return None


def _fits(review: Review, args: Any) -> InvalidDecision | None:
    if args is None:
        return InvalidDecision("Write the arguments that will run; an edit replaces all of them.")
    wrong = misfit(review.action.get("args_schema"), args)
    return InvalidDecision(wrong) if wrong else None


def misfit(schema: Any, args: Any) -> str:
    """Why arguments do not fit the agent's schema, in a sentence; empty if they do, or if there is none."""
    if schema is None:
        return ""
    try:
        validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        validator.check_schema(schema)
        validator(schema, registry=Registry()).validate(args)
    except jsonschema.ValidationError as error:
        return f"The arguments do not fit the schema at {error.json_path}: {error.message}."
    except (jsonschema.SchemaError, Unresolvable) as error:
        return f"The agent's schema is broken, so the arguments cannot be edited: {error}."
    return ""


def own_vote(review: Review, click: Click) -> bool:
    """Whether this very click was saved before: the same person, the same decision on the same content."""
    for vote in review.votes:
        if vote.person_id == click.person.pk and click.version == vote.version:
            return vote.verdict == click.decision and (click.decision != "edit" or vote.args == click.args)
    return False


Rule = Callable[[Review, Click], NotDecided | None]
RULES: Final[tuple[Rule, ...]] = (_open, _as_shown, _in_time, _allowed, _proven, _once, _makes_sense)
