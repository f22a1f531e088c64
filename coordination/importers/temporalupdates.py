"""Updates of a Temporal history, as approval requests and their answers.

An update asks the running workflow from outside, and its handler accepts it and later answers. A history does
not say for which task; the update stands for itself, under an id of its own.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from coordination.canonical import NotCanonical, digest
from coordination.importers.recording import MAX_ID, fitting, slug
from coordination.importers.temporalfailure import failure_of
from coordination.importers.temporalhistory import Native, payloads, text_in
from coordination.importers.temporalwriter import Writer


class Update(msgspec.Struct):
    """An update that was accepted; `content_hash` is that of what was asked."""

    approval_id: str
    content_hash: str
    number: int
    answered: bool = False


class Updates:
    """Follows updates through a history."""

    def __init__(self, writer: Writer, workflow: str) -> None:
        self._writer = writer
        self._workflow = workflow
        self._updates: dict[int, Update] = {}

    def accepted(self, native: Native) -> None:
        """An update was accepted."""
        self._request(native, native.attributes.get("acceptedRequest"), native.text("protocolInstanceId"))

    def completed(self, native: Native) -> None:
        """An update was answered; a failed outcome is a denial."""
        update = self._updates.get(native.ref("acceptedEventId"))
        if update is None:
            update = self._request(native, None, native.text("meta", "updateId"), derived=True)
        outcome = native.attributes.get("outcome")
        failure = outcome.get("failure") if isinstance(outcome, Mapping) else None
        success = outcome.get("success") if isinstance(outcome, Mapping) else None
        self._answer(native, update, failure, payloads(success))

    def rejected(self, native: Native) -> None:
        """An update was refused before it was accepted."""
        request = native.attributes.get("rejectedRequest")
        update = self._request(native, request, native.text("protocolInstanceId"), derived=True)
        self._answer(native, update, native.attributes.get("failure") or {"message": "rejected"}, [])

    def close(self, native: Native, reason: str) -> None:
        """The run ended: nobody waits for an answer any more."""
        for update in [one for one in self._updates.values() if not one.answered]:
            update.answered = True
            self._write("approval.withdrawn", native, update, {"reason": reason}, derived=True)

    def _request(self, native: Native, request: Any, native_id: str, *, derived: bool = False) -> Update:
        name = text_in(request, "input", "name") or "update"
        ident = text_in(request, "meta", "updateId") or native_id or str(native.number)
        args = payloads(request.get("input", {}).get("args")) if _has_input(request) else []
        action, hashed = _action(name, self._workflow, args)
        update = Update(self._approval_id(ident), hashed, native.number)
        self._updates[native.number] = update
        data = {"content_hash": hashed, "action": action, "title": name, "allowed_decisions": ["approve", "reject"]}
        self._write("approval.requested", native, update, data, derived=derived)
        return update

    def _answer(self, native: Native, update: Update, failure: Any, response: list[Any]) -> None:
        update.answered = True
        error = failure_of(failure)
        granted = error is None
        data = {
            "decision_id": self._writer.scribe.id_of(native.number, "decision"),
            "decision": "approve" if granted else "reject",
            "content_hash": update.content_hash,
            "response": fitting(response),
            "comment": "" if error is None else error.message,
            "decided_by": "person",
        }
        self._write("approval.granted" if granted else "approval.denied", native, update, data)

    def _write(self, name: str, native: Native, update: Update, data: dict[str, Any], *, derived: bool = False) -> None:
        asks = name == "approval.requested"
        self._writer.write(
            name,
            native,
            derived=derived,
            phase=f"{name}.{update.number}" if derived else "",
            causation=None if asks else self._writer.id_of(update.number) or None,
            task_id=update.approval_id,
            target_group=slug(self._workflow, "workflow") if asks else "",
            idempotency_key=update.approval_id if asks else "",
            data={"approval_id": update.approval_id, "request_version": 1, **data},
        )

    def _approval_id(self, ident: str) -> str:
        found = f"{self._writer.scribe.run_id}.{ident}"
        if len(found) > MAX_ID or not found.isprintable():
            return f"{self._writer.scribe.run_id[:60]}.{digest(ident)[:32]}"
        return found


def _has_input(request: Any) -> bool:
    return isinstance(request, Mapping) and isinstance(request.get("input"), Mapping)


def _action(name: str, target: str, args: list[Any]) -> tuple[dict[str, Any], str]:
    """The action that was asked for and its hash; arguments that have no canonical form travel as text."""
    action: dict[str, Any] = {"name": name[:MAX_ID], "target": target, "args": fitting(args)}
    try:
        return action, digest(action)
    except NotCanonical:
        action["args"] = msgspec.json.encode(args).decode()
        return action, digest(action)
