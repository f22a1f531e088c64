"""What is known around a task when somebody asks why it waits. What could not be read is None, never good news."""

from collections.abc import Sequence

import msgspec

from coordination.joins import JoinProgress


class Input(msgspec.Struct, frozen=True):
    """A task that this one needs, or asked for: its id, title and shown state."""

    task_id: str
    title: str
    state: str


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """An open approval request: `votes` of `needed`, which groups still have to agree, when it expires (µs)."""

    approval_id: str
    title: str = ""
    votes: int = 0
    needed: int = 1
    groups: tuple[str, ...] = ()
    expires_at: int | None = None
    on_expiry: str = ""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The consumer group of a task as the last poll saw it; None: could not be read.

    `commit` is the group's position on the command's partition, `ahead` counts records between it and the
    command, `members` all members, `assigned` whether one of them has this partition.
    """

    group: str
    commit: int | None = None
    ahead: int | None = None
    members: int | None = None
    assigned: bool | None = None
    last_commit_at: int | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known around a task. `needs` are the tasks in its depends_on (as far as they are known), `children`
    those it asked for; `join` how the fan-out it opened stands. `heartbeat_at` is its agent's last sign of life,
    `silence` after how long (µs) that is too old.
    """

    needs: Sequence[Input] = ()
    children: Sequence[Input] = ()
    join: JoinProgress | None = None
    ask: Ask | None = None
    queue: Queue | None = None
    heartbeat_at: int | None = None
    silence: int = 30_000_000
