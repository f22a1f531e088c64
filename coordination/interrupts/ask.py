"""The one model: what is asked, and what was decided."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from coordination.approvals import content_hash
from coordination.errors import CoordinationError

Decision = Literal["approve", "edit", "reject", "respond"]


class NotAnInterrupt(CoordinationError):
    """The value is not what its standard asks for; the message says where."""

    code = "not_an_interrupt"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question to people. `external_id` is the runtime's own name for it, empty where it has none; `allowed` are
    the decisions it can take; `expires_at` is RFC 3339 text. `args_schema` is about an edit's arguments, or about
    the answer to a question.
    """

    external_id: str
    kind: Literal["action", "question"]
    action: str
    args: Any = None
    args_schema: Any = None
    title: str = ""
    question: str = ""
    allowed: tuple[Decision, ...] = ("approve", "reject")
    expires_at: str = ""

    def requested(self, approval_id: str, *, version: int = 1, fence: int | None = None, **more: Any) -> dict[str, Any]:
        """The data of `approval.requested`; `more` are further fields of it, such as agent_group or policy.

        Raises NotCanonical for arguments that two readers could understand differently.
        """
        action = {"name": self.action, "args": self.args, "args_schema": self.args_schema}
        action = {name: value for name, value in action.items() if value is not None}
        data = {
            "approval_id": approval_id,
            "request_version": version,
            "content_hash": content_hash(action),
            "action": action,
            "kind": self.kind,
            "title": self.title,
            "question": self.question,
            "allowed_decisions": list(self.allowed),
            "fence": fence,
            "expires_at": self.expires_at or None,
        }
        return {name: value for name, value in data.items() if value is not None} | more


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, as the agent's gate gives it: `args` of an edit, `response` to a question."""

    decision: Decision
    args: Any = None
    response: Any = None
    feedback: str = ""


def part(value: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """A member of a form. Raises NotAnInterrupt when it is missing or of another kind."""
    if not isinstance(value, Mapping) or not isinstance(value.get(name), kind):
        raise NotAnInterrupt(f"{where} has no usable {name!r}.")
    return value[name]


def optional(value: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    """A member that may be missing."""
    found = value.get(name)
    return found if isinstance(found, kind) else default


def refuse_unoffered(ask: Ask, answer: Answer) -> None:
    """Raises NotAnInterrupt for a decision that the runtime said it cannot take; to reject is always possible."""
    if answer.decision != "reject" and answer.decision not in ask.allowed:
        raise NotAnInterrupt(f"{answer.decision} was not offered; this takes {', '.join(ask.allowed)}.")
