"""Whether a command was seen before: the rules of idempotency (protocol, section 4).

One partition sees all commands of a task, so what is known there is enough for everything that keeps its task id.
A command that was asked for again under another task id is recognised by its idempotency key if both tasks fall on
one partition; whoever repeats a request should therefore keep the task id too, as this runtime does.
"""

import hashlib
from typing import Literal

import msgspec

from coordination.agent.handled import REDOABLE, Handled
from coordination.agent.ledger import Shelf
from coordination.canonical import NotCanonical, digest
from coordination.event import Event

Verdict = Literal["new", "duplicate", "redriven", "conflict", "copy", "canceled"]


def verdict(event: Event, shelf: Shelf, fingerprint: str) -> tuple[Verdict, Handled | None]:
    """What a `task.requested` is, and the work it repeats.

    new: nobody asked for it before · duplicate: the same event or the same request again, to be dropped ·
    redriven: the same event again after the work had failed, to be done again · conflict: another request under a
    key that is taken · copy: the same request under another task id · canceled: it was called off before it came.
    """
    known = shelf.get("task", event.task_id)
    if known is None:
        return _by_key(event, shelf, fingerprint)
    if not known.idempotency:
        return "canceled", known
    if (event.source, event.id) in known.seen:
        again = known.status in REDOABLE and event.offset > known.offset
        return ("redriven" if again else "duplicate"), known
    return ("duplicate" if known.idempotency[2] == fingerprint else "conflict"), known


def fingerprint_of(value: bytes | None) -> str:
    """SHA-256 over the canonical form of the data; over the bytes as they are where they have none."""
    try:
        return digest(msgspec.json.decode(value or b"{}"))
    except (NotCanonical, msgspec.DecodeError):
        return hashlib.sha256(value or b"").hexdigest()


def scope_of(event: Event) -> str:
    """Within which an idempotency key is unique: tenant and type."""
    return f"{event.tenant}|{event.type}"


def _by_key(event: Event, shelf: Shelf, fingerprint: str) -> tuple[Verdict, Handled | None]:
    known = shelf.asked_for(scope_of(event), event.idempotency_key) if event.idempotency_key else None
    if known is None or known.idempotency is None:
        return "new", None
    return ("copy" if known.idempotency[2] == fingerprint else "conflict"), known
