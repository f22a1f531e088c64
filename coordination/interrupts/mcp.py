"""MCP: an elicitation, a server's question to the person behind a client.

Request: {method: elicitation/create, id, params{message, requestedSchema}}. Result: {action: accept, decline or
cancel, content}. The schema is flat (text, numbers, booleans, choices); secrets may not be asked for in a form, and
an elicitation that leads to another site (mode url) is not a form at all: it is refused here.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]  # it ships no types

from coordination.interrupts.ask import Answer, Ask, NotAnInterrupt, part, refuse_unoffered

METHOD: Final = "elicitation/create"


def ask(request: Any, server: str = "") -> Ask:
    """What an elicitation asks for; `server` names who asks. Raises NotAnInterrupt."""
    if not isinstance(request, Mapping) or request.get("method") != METHOD:
        raise NotAnInterrupt(f"the request is no {METHOD}.")
    params = part(request, "params", Mapping, "elicitation")
    if params.get("mode", "form") != "form":
        raise NotAnInterrupt(f"an elicitation by {params['mode']} leads elsewhere and cannot be decided here.")
    words = part(params, "message", str, "elicitation")
    schema = part(params, "requestedSchema", Mapping, "elicitation")
    return Ask(
        external_id=str(request.get("id", "")),
        kind="question",
        action=f"{METHOD} by {server}" if server else METHOD,
        args_schema=dict(schema),
        title=words.splitlines()[0][:200] if words else "Elicitation",
        question=words,
        allowed=("respond", "reject"),
    )


def result(asked: Ask, answer: Answer) -> dict[str, Any]:
    """The result that answers it. Raises NotAnInterrupt for an answer that does not fit the schema."""
    refuse_unoffered(asked, answer)
    if answer.decision == "reject":
        return {"action": "decline"}
    try:
        jsonschema.Draft202012Validator(asked.args_schema).validate(answer.response)
    except jsonschema.ValidationError as error:
        raise NotAnInterrupt(f"the answer does not fit at {error.json_path}: {error.message}.") from error
    return {"action": "accept", "content": answer.response}


def cancelled() -> dict[str, Any]:
    """The result when nobody decided: expired or withdrawn."""
    return {"action": "cancel"}
