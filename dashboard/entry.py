"""Coming and going, in the audit trail: call these inside the transaction that makes or ends the session."""

from typing import Any

from dashboard.approvals.persons import voter_of
from dashboard.audit import enter


def signed_in(user: Any, by: str) -> None:
    """Somebody signs in: by password, by link, or by the organisation's identity provider."""
    enter(voter_of(user), "session.begun", f"user/{user.pk}", {"by": by})


def signed_out(user: Any) -> None:
    """Somebody signs out."""
    enter(voter_of(user), "session.ended", f"user/{user.pk}")
