"""LangGraph: HumanInterrupt of the agent inbox, and the review request of its human-in-the-loop middleware.

`HumanInterrupt` is {action_request{action, args}, config{allow_ignore, allow_respond, allow_edit, allow_accept},
description}; the graph resumes with a list of one HumanResponse {type, args}. The middleware asks for several tools
at once: {action_requests[], review_configs[]}, answered by position with {decisions[]}.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coordination.interrupts.ask import Answer, Ask, Decision, NotAnInterrupt, optional, part, refuse_unoffered

ALLOWED: Final[dict[str, Decision]] = {
    "allow_accept": "approve",
    "allow_edit": "edit",
    "allow_ignore": "reject",
    "allow_respond": "respond",
}


def asks(value: Any, interrupt_id: str = "") -> list[Ask]:
    """What an interrupt's value asks for, one `Ask` for each HumanInterrupt or action. `interrupt_id` is the id of
    the LangGraph interrupt around it. Raises NotAnInterrupt."""
    if isinstance(value, Mapping) and "action_requests" in value:
        return _reviews(value, interrupt_id)
    found = value if isinstance(value, list) else [value]
    if not found:
        raise NotAnInterrupt("HumanInterrupt: the list is empty.")
    return [_ask(each, _id(interrupt_id, place, len(found))) for place, each in enumerate(found)]


def _ask(value: Any, external_id: str) -> Ask:
    request = part(value, "action_request", Mapping, "HumanInterrupt")
    config = part(value, "config", Mapping, "HumanInterrupt")
    allowed = tuple(word for name, word in ALLOWED.items() if config.get(name) is True)
    if not allowed:
        raise NotAnInterrupt("HumanInterrupt: its config allows no answer at all.")
    name = part(request, "action", str, "action_request")
    words = optional(value, "description", str, "")
    asking = set(allowed) <= {"respond", "reject"} and "respond" in allowed
    return Ask(
        external_id=external_id,
        kind="question" if asking else "action",
        action=name,
        args=request.get("args"),
        title=words.splitlines()[0][:200] if words else name,
        question=words,
        allowed=allowed,
    )


def _reviews(value: Mapping[str, Any], interrupt_id: str) -> list[Ask]:
    requests = part(value, "action_requests", list, "review request")
    configs = {part(each, "action_name", str, "review_configs"): each for each in value.get("review_configs") or ()}
    if not requests:
        raise NotAnInterrupt("review request: there is no action in it.")
    return [_review(each, configs, _id(interrupt_id, place, len(requests))) for place, each in enumerate(requests)]


def _review(request: Any, configs: Mapping[str, Any], external_id: str) -> Ask:
    name = part(request, "name", str, "action_requests")
    config = configs.get(name, {})
    known = ("approve", "edit", "reject", "respond")
    allowed: tuple[Any, ...] = tuple(
        word for word in config.get("allowed_decisions") or ("approve", "reject") if word in known
    )
    words = optional(request, "description", str, "")
    return Ask(
        external_id=external_id,
        kind="action",
        action=name,
        args=request.get("args"),
        args_schema=config.get("args_schema"),
        title=words.splitlines()[0][:200] if words else name,
        question=words,
        allowed=allowed,
    )


def _id(interrupt_id: str, place: int, count: int) -> str:
    return interrupt_id if count == 1 or not interrupt_id else f"{interrupt_id}#{place}"


def resume(ask: Ask, answer: Answer) -> list[dict[str, Any]]:
    """What a graph that waits on a HumanInterrupt is resumed with."""
    refuse_unoffered(ask, answer)
    match answer.decision:
        case "approve":
            return [{"type": "accept", "args": None}]
        case "edit":
            return [{"type": "edit", "args": {"action": ask.action, "args": answer.args}}]
        case "respond":
            return [{"type": "response", "args": answer.response}]
        case _:
            return [{"type": "ignore", "args": None}]


def decisions(found: Sequence[tuple[Ask, Answer]]) -> dict[str, Any]:
    """What the middleware is resumed with: one decision for each action, in the order they were asked for."""
    return {"decisions": [_decision(ask, answer) for ask, answer in found]}


def _decision(ask: Ask, answer: Answer) -> dict[str, Any]:
    refuse_unoffered(ask, answer)
    match answer.decision:
        case "approve":
            return {"type": "approve"}
        case "edit":
            return {"type": "edit", "edited_action": {"name": ask.action, "args": answer.args}}
        case "respond":
            return {"type": "respond", "message": answer.response}
        case _:
            return {"type": "reject", "message": answer.feedback}
