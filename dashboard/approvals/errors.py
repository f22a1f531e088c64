"""Why a decision was not saved. Each says what happened and to whom it belongs; pages map them to a status."""

from typing import Any

from coordination.errors import CoordinationError
from coordination.instants import rfc3339


class NotDecided(CoordinationError):
    """Base: nothing was decided by this call."""

    code = "not_decided"


class UnknownApproval(NotDecided):
    """No such request was ever read from the log."""

    code = "unknown_approval"

    def __init__(self, approval_id: str) -> None:
        super().__init__(f"There is no request {approval_id}.")
        self.approval_id = approval_id


class AlreadyDecided(NotDecided):
    """Somebody else won: `winner` (a user name, `expiry`, `the agent`), `when` (µs), `decision` (approve, reject,
    edit, respond, expired, withdrawn) and what they said. The comment of the loser is kept as a note.
    """

    code = "already_decided"

    def __init__(self, winner: str, when: int, decision: str, reason: str = "") -> None:
        said = f": {reason}" if reason else ""
        super().__init__(f"Decided by {winner} at {rfc3339(when)} ({decision}){said}. Your comment is kept as a note.")
        self.winner, self.when, self.decision, self.reason = winner, when, decision, reason


class Expired(AlreadyDecided):
    """The timer won: expired `at`, the click came at `clicked_at` (both µs, by the database's clock)."""

    code = "expired"

    def __init__(self, at: int, clicked_at: int) -> None:
        super().__init__("expiry", at, "expired", f"expired {rfc3339(at)}, your click came at {rfc3339(clicked_at)}")
        self.at, self.clicked_at = at, clicked_at


class RequestChanged(NotDecided):
    """What was shown is not what would be decided. `difference` has `before` (None: not known any more) and
    `after`: the actions as they were and as they are; the versions are equal where an edit came in between.
    """

    code = "request_changed"

    def __init__(self, old_version: int, new_version: int, difference: dict[str, Any]) -> None:
        super().__init__(f"The request changed while you read it: version {old_version} became {new_version}.")
        self.old_version, self.new_version, self.difference = old_version, new_version, difference


class NotAllowed(NotDecided):
    """This person may not do this; `reason` says why."""

    code = "not_allowed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidDecision(NotDecided):
    """The decision itself makes no sense: arguments against the schema, no answer to a question, too large."""

    code = "invalid_decision"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeyReused(NotDecided):
    """An Idempotency-Key that was used for another request before."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another decision. Use a new one for each decision.")
