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
    """Somebody else won: `winner` (a user name, `expiry`, a rule, the agent), `when` and `clicked_at` (µs, by the
    database's clock), `decision` (approve, reject, edit, respond, expired, withdrawn) and what they said. `noted`:
    the loser wrote a comment, which is kept as a note.
    """

    code = "already_decided"

    def __init__(
        self, winner: str, when: int, decision: str, reason: str = "", *, clicked_at: int = 0, noted: bool = False
    ) -> None:
        said = f": {reason}" if reason else ""
        super().__init__(f"Decided by {winner} at {rfc3339(when)} ({decision}){said}.")
        self.winner, self.when, self.decision, self.reason = winner, when, decision, reason
        self.clicked_at, self.noted = clicked_at, noted


class Expired(AlreadyDecided):
    """The timer won: expired `at`, the click came at `clicked_at` (both µs, by the database's clock)."""

    code = "expired"

    def __init__(self, at: int, clicked_at: int, *, noted: bool = False) -> None:
        super().__init__("expiry", at, "expired", clicked_at=clicked_at, noted=noted)
        self.at = at


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
