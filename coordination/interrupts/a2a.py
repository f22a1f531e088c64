"""A2A: a task whose status is input-required, answered by a message of role user in the same task and context.

Status: {state, message{role: agent, parts[], messageId}, timestamp}. Parts are text, data or files; of the parts of
kind data the first that names an action ({action or name, args or arguments}) makes it an action to approve, else it
is a question. Files are named and not fetched.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coordination.interrupts.ask import Answer, Ask, NotAnInterrupt, part, refuse_unoffered

STATES: Final = ("input-required", "TASK_STATE_INPUT_REQUIRED")


def ask(task: Any) -> Ask:
    """What a task asks for. Raises NotAnInterrupt for a task in another state."""
    external_id = part(task, "id", str, "task")
    status = part(task, "status", Mapping, "task")
    if status.get("state") not in STATES:
        raise NotAnInterrupt(f"task {external_id} is {status.get('state')}, not input-required.")
    message = part(status, "message", Mapping, "status of an input-required task")
    parts = [each for each in part(message, "parts", list, "message") if isinstance(each, Mapping)]
    words = "\n".join(_words(parts)).strip()
    data = [each["data"] for each in parts if isinstance(each.get("data"), Mapping)]
    action = next((each for each in data if _named(each)), None)
    common: dict[str, Any] = {"external_id": external_id, "question": words}
    if action is None:
        schema = next((each["schema"] for each in data if isinstance(each.get("schema"), Mapping)), None)
        title = words.splitlines()[0][:200] if words else "Input required"
        return Ask(
            kind="question",
            action="input-required",
            args_schema=schema,
            title=title,
            allowed=("respond", "reject"),
            **common,
        )
    name, args = _named(action), action.get("args", action.get("arguments"))
    title = words.splitlines()[0][:200] if words else name
    return Ask(kind="action", action=name, args=args, title=title, allowed=("approve", "edit", "reject"), **common)


def _named(data: Mapping[str, Any]) -> str:
    name = data.get("action", data.get("name"))
    return name if isinstance(name, str) and ("args" in data or "arguments" in data) else ""


def _words(parts: list[Any]) -> Iterator[str]:
    for each in parts:
        if isinstance(each.get("text"), str):
            yield each["text"]
        elif isinstance(each.get("file"), Mapping):
            yield f"File: {each['file'].get('name') or each['file'].get('uri') or 'unnamed'}"


def reply(asked: Ask, answer: Answer, *, message_id: str, context_id: str = "") -> dict[str, Any]:
    """The message that answers; send it into the task. `message_id` must be the same for the same decision."""
    refuse_unoffered(asked, answer)
    said: list[dict[str, Any]] = []
    match answer.decision:
        case "respond" if isinstance(answer.response, str):
            said.append({"kind": "text", "text": answer.response})
        case "respond":
            said.append({"kind": "data", "data": answer.response})
        case decision:
            data = {"decision": decision, "args": answer.args, "feedback": answer.feedback}
            said.append(
                {"kind": "data", "data": {name: value for name, value in data.items() if value not in (None, "")}}
            )
    message = {"kind": "message", "role": "user", "messageId": message_id, "taskId": asked.external_id, "parts": said}
    return message | ({"contextId": context_id} if context_id else {})
