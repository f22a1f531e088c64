"""What a group remembers of its work: one record per piece of work on the compacted topic `run.state.handled`.

A piece of work is a task, the compensation of a task, a fact somebody subscribed to, or a fan-out that is being
watched. Its record is written in the same transaction as the facts and the positions that go with it, and read
back by whoever is assigned the partition, before that partition's first command. So the memory of a group moves
with its partitions, and a process that was killed has forgotten nothing it had said.

Where a record stands: its partition is that of the work's own record (so that both are assigned together), and its
key is `<group>|<kind>|<id>`, because several groups may act on one task and compaction keeps one record per key.

While the work is open the record holds the original command byte for byte (a retry after a restart needs it, and
so does the dead letter); when it ends it shrinks to what recognises a duplicate.
"""

from typing import Any, Final, Literal

import msgspec

from coordination.eventlog import NewRecord, Record, StoredRecord, TopicPartition

Kind = Literal["task", "compensation", "fact", "fanout"]
Status = Literal[
    "accepted",
    "ready",
    "working",
    "waiting",
    "paused",
    "retry_wait",
    "completed",
    "failed",
    "rejected",
    "expired",
    "canceled",
    "closed",
]
OPEN: Final = frozenset(("accepted", "ready", "working", "waiting", "paused", "retry_wait"))
REDOABLE: Final = frozenset(("failed", "rejected", "expired"))
"""Ends that a redriven command may undo: failures are not marked as handled (protocol, section 4)."""
MAX_SEEN: Final = 100
MAX_BYTES: Final = 900_000
"""A memory larger than this would not fit into a record."""


# accepted: has not begun · ready: what it waited for is there, it goes on next · working: a handler runs ·
# waiting: for a task or a join · paused: for a person · retry_wait: until due_at. The others are ends.


class Step(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A recorded step of a handler: `made_of` is the digest of what it was asked, `value` what it answered.

    `lasting` steps count in every later attempt (they changed something), the others in their `attempt` only.
    `done` is false while the answer is awaited.
    """

    attempt: int
    lasting: bool = False
    done: bool = True
    made_of: str = ""
    value: Any = None


class Gate(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A task that waits for a person: what would be executed, and which decision it would take."""

    step: str
    reason: str
    fence: int
    approval_id: str = ""
    version: int = 0
    content_hash: str = ""
    action: dict[str, Any] = {}
    allowed: tuple[str, ...] = ()
    expires_at: int | None = None
    on_expiry: str = "reject"


class Ended(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a task somebody waited for ended; `left_out`: its output was too large to be carried along."""

    task_id: str
    outcome: str
    event_id: str = ""
    output: Any = None
    error: str = ""
    left_out: bool = False


class Joining(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A fan-out: its rule, its branches (index → task id and group), and how its join was decided.

    Arrivals before the decision are not kept: they are read again from `since` (position per partition of the
    facts) after a restart. `decided` is satisfied, failed or expired, `ended` are the branches it counted, `late`
    the indexes that were reported after it.
    """

    parent: str
    join: str
    on_failure: str
    quorum: int = 1
    deadline: int | None = None
    branches: dict[int, tuple[str, str]] = {}
    opened: bool = False
    sealed: bool = False
    since: dict[int, int] = {}
    decided: str = ""
    reason: str = ""
    ended: dict[int, Ended] = {}
    late: list[int] = []


class Handled(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The memory of one piece of work. Instants are microseconds since 1970 UTC.

    `seen` are the (source, id) of the events taken into account, `offset` is the position of the last delivery of
    its command, `holder` the source of the instance that worked on it last, `cause` the id of the event that made it
    go on last. `waits_for` names the task or fan-out
    a waiting handler needs, `since` is where its facts have to be read from. `decisions` are the decision ids
    that were applied, `revoked` those taken back.
    """

    group: str
    kind: Kind
    key: str
    status: Status
    topic: str
    partition: int
    offset: int
    updated_at: int
    run_id: str = ""
    tenant: str = ""
    holder: str = ""
    cause: str = ""
    seen: list[tuple[str, str]] = []
    idempotency: tuple[str, str, str] | None = None
    command: StoredRecord | None = None
    attempt: int = 0
    failures: int = 0
    losses: int = 0
    due_at: int | None = None
    journal: dict[str, Step] = {}
    gate: Gate | None = None
    waits_for: str = ""
    since: dict[int, int] = {}
    decisions: list[str] = []
    revoked: list[str] = []
    joining: Joining | None = None
    output: Any = None

    def note(self, source: str, event_id: str) -> None:
        """Remember that an event was taken into account: the first one for ever, of the others the latest."""
        self.seen = [*self.seen[:1], *self.seen[1:][1 - MAX_SEEN :], (source, event_id)]

    @property
    def open(self) -> bool:
        """Whether there is still something to do."""
        return self.status in OPEN

    @property
    def source(self) -> TopicPartition:
        """The partition its command stands on: whoever is assigned it does the work."""
        return TopicPartition(self.topic, self.partition)


def record_of(handled: Handled, topic: str) -> NewRecord:
    """The record that remembers `handled` on the handled topic."""
    value = msgspec.json.encode(handled)
    return NewRecord(topic, _key(handled), value, _HEADERS, partition=handled.partition)


def tombstone_of(handled: Handled, topic: str) -> NewRecord:
    """The record that forgets it."""
    return NewRecord(topic, _key(handled), None, (), partition=handled.partition)


def read_record(record: Record, group: str) -> tuple[str, Handled | None] | None:
    """(kind|id, memory or None if forgotten) of a record of this group; None for records of other groups.

    Raises msgspec.DecodeError when the value cannot be read.
    """
    prefix = f"{group}|".encode()
    if record.key is None or not record.key.startswith(prefix):
        return None
    name = record.key[len(prefix) :].decode("utf-8", "replace")
    return name, None if record.value is None else msgspec.json.decode(record.value, type=Handled)


def name_of(kind: Kind, key: str) -> str:
    """How the memory of this piece of work is found in a store."""
    return f"{kind}|{key}"


def _key(handled: Handled) -> bytes:
    return f"{handled.group}|{name_of(handled.kind, handled.key)}".encode()


_HEADERS: Final = (("content-type", b"application/json"),)
