"""The event: one decoded record, as everyone above the envelope sees it."""

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """One decoded record. Instants are microseconds since 1970 UTC.

    `name` is the catalogue name (`task.started`), or the full type where it is not `known`.
    `time` is when it happened as its producer says; `at` is the instant the fold uses: the log's append time
    where the log stamps it, else `time` (imports say so with the time basis `recorded` or `derived`).
    `data` is the struct of the catalogue, or plain JSON for an unknown type, or None for a tombstone.
    `extensions` are all attributes without a field here, timebasis and traces among them.
    `inferred` names attributes that were missing and found elsewhere, `flags` names oddities that are no error:
    time_ahead, key_mismatch, structured_mismatch, bad_traceparent.
    """

    id: str
    source: str
    type: str
    name: str
    known: bool
    time: int
    at: int
    derived: bool = False
    subject: str = ""
    tenant: str = "default"
    agent_id: str = ""
    agent_group: str = ""
    run_id: str = ""
    causation_id: str = ""
    task_id: str = ""
    parent_task_id: str = ""
    attempt: int | None = None
    target_group: str = ""
    fold_key: str = ""
    idempotency_key: str = ""
    fanout_id: str = ""
    fanout_index: int | None = None
    fanout_count: int | None = None
    sequence: str | None = None
    partition_key: str = ""
    expiry_at: int | None = None
    extensions: dict[str, str] = {}
    data: Any = None
    topic: str = ""
    partition: int = -1
    offset: int = -1
    inferred: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
