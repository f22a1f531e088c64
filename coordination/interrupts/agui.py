"""AG-UI: an interrupt at the end of a run, answered by an item of `resume`.

Interrupt: {id, reason (tool_call, input_required, confirmation, or another word with a colon), message?, toolCallId?,
responseSchema?, expiresAt?, metadata?}. Resume item: {interruptId, status: resolved or cancelled, payload?}. Edited
arguments replace all of them; a denial is a resolved answer whose payload says so.
"""

from collections.abc import Mapping
from typing import Any, Final

from coordination.instants import parse
from coordination.interrupts.ask import Answer, Ask, NotAnInterrupt, optional, part, refuse_unoffered

ACTIONS: Final = ("tool_call", "confirmation")


def ask(interrupt: Any, tool_calls: Mapping[str, Mapping[str, Any]] | None = None) -> Ask:
    """What an interrupt asks for. `tool_calls` maps the ids of the run's tool calls to {name, args}: what a
    `tool_call` interrupt is about. Raises NotAnInterrupt."""
    external_id = part(interrupt, "id", str, "interrupt")
    reason = part(interrupt, "reason", str, "interrupt")
    if not external_id or not reason:
        raise NotAnInterrupt("interrupt: id and reason must not be empty.")
    words = optional(interrupt, "message", str, "")
    common: dict[str, Any] = {
        "external_id": external_id,
        "title": words.splitlines()[0][:200] if words else reason,
        "question": words,
        "expires_at": _instant(optional(interrupt, "expiresAt", str, "")),
    }
    schema = interrupt.get("responseSchema")
    if reason not in ACTIONS:
        return Ask(kind="question", action=reason, args_schema=schema, allowed=("respond", "reject"), **common)
    if reason == "confirmation":
        return Ask(kind="action", action=reason, args=interrupt.get("metadata"), **common)
    call_id = part(interrupt, "toolCallId", str, "interrupt of a tool call")
    call = (tool_calls or {}).get(call_id)
    if call is None:
        raise NotAnInterrupt(f"interrupt: the tool call {call_id} is not known, so nobody can see what would run.")
    name = part(call, "name", str, f"tool call {call_id}")
    return Ask(
        kind="action",
        action=name,
        args=call.get("args"),
        args_schema=schema,
        allowed=("approve", "edit", "reject"),
        **common,
    )


def _instant(text: str) -> str:
    if not text:
        return ""
    try:
        parse(text)
    except ValueError as error:
        raise NotAnInterrupt(f"interrupt: expiresAt {text!r} is no RFC 3339 time.") from error
    return text


def resume(asked: Ask, answer: Answer) -> dict[str, Any]:
    """The resume item that answers an interrupt."""
    refuse_unoffered(asked, answer)
    match answer.decision:
        case "approve":
            payload: Any = {"approved": True}
        case "edit":
            payload = {"approved": True, "editedArgs": answer.args}
        case "respond":
            payload = answer.response
        case _ if asked.kind == "question":
            return {"interruptId": asked.external_id, "status": "cancelled"}
        case _:
            payload = {"approved": False, "reason": answer.feedback}
    return {"interruptId": asked.external_id, "status": "resolved", "payload": payload}
