"""What the author of an agent declared: handlers, subscriptions, limits."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from coordination.agent.retry import Retry
from coordination.event import Event
from coordination.manifest import Manifest
from coordination.signing import Keyring

Handle = Callable[..., Coroutine[Any, Any, Any]]


class TaskHandler(msgspec.Struct, frozen=True, kw_only=True):
    """How tasks of one type are done. `timeout` in seconds for one attempt.

    `ends_run`: the run ends when this task does (it is the run's root). `cancelable` false: a request to cancel is
    declined once the handler runs.
    """

    task_type: str
    run: Handle
    retry: Retry
    timeout: float | None = None
    cancelable: bool = True
    ends_run: bool = False


class FactHandler(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about facts of one type; `when` tells which of them matter."""

    fact: str
    run: Handle
    retry: Retry
    when: Callable[[Event], bool]
    timeout: float | None = None


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as declared. Times in seconds; `concurrency` handlers run at a time.

    `prefetch` is how many accepted tasks may wait for a slot before the partitions of new work are paused, `grace`
    how long running handlers may take when the instance is stopped, `remember` how long an ended piece of work
    recognises duplicates (longer than commands and dead letters are kept), `gate_grace` how long after its expiry
    an approval without an answer is given up by the task itself.
    """

    group: str
    manifest: Manifest
    keyring: Keyring
    tasks: dict[str, TaskHandler] = {}
    compensations: dict[str, TaskHandler] = {}
    facts: dict[str, FactHandler] = {}
    version: str = ""
    concurrency: int = 8
    prefetch: int = 16
    heartbeat: float = 5.0
    session_timeout: float = 10.0
    grace: float = 10.0
    remember: float = 35 * 86_400.0
    gate_grace: float = 30.0
