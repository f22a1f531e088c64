"""Data of task intents and facts."""

from typing import Annotated, Any

import msgspec

from coordination.events.shapes import Count, Data, Digest, Failure, Identifier, Ordinal
from coordination.instants import Instant


class TaskRequested(Data, frozen=True, gc=False, kw_only=True):
    """What is to be done. `depends_on` lists the task ids this one needs; `retry_of` the task it redoes.

    `compensates` is the task whose effects this one undoes. A large input goes behind `input_ref`.
    """

    task_type: Identifier
    title: str = ""
    depends_on: tuple[str, ...] = ()
    input: Any = None
    input_ref: str | None = None
    deadline: Instant | None = None
    retry_of: str = ""
    compensates: str = ""
    priority: int = 0
    max_attempts: Ordinal | None = None


class TaskResumeRequested(Data, frozen=True, gc=False, kw_only=True):
    """A signed decision on its way to the agent that waits for it, or a plain request to go on.

    `signature` is Ed25519 over the canonical JSON of these data without `signature`, base64; `key_id` names
    the public key. `fence` is the attempt that asked. No reviewer identity travels here.
    """

    decision_id: str = ""
    approval_id: str = ""
    request_version: Ordinal | None = None
    content_hash: Digest | None = None
    fence: Ordinal | None = None
    decision: str = ""
    args: Any = None
    response: Any = None
    feedback: str = ""
    decided_at: Instant | None = None
    valid_until: Instant | None = None
    key_id: str = ""
    signature: str = ""


class TaskCancelRequested(Data, frozen=True, gc=False, kw_only=True):
    """Please stop; the answer is task.canceled or task.cancel.declined."""

    reason: str = ""


class TaskCompensationRequested(Data, frozen=True, gc=False, kw_only=True):
    """Please undo the effects of a task that has ended."""

    reason: str = ""


class TaskRejected(Data, frozen=True, gc=False, kw_only=True):
    """The agent group will not do it; also late, after it has begun."""

    reason: str = ""
    error: Failure | None = None


class TaskAssigned(Data, frozen=True, gc=False, kw_only=True):
    """Who has it now. Empty fields mean: as in the envelope."""

    agent_id: str = ""
    agent_group: str = ""
    role: str = ""


class TaskReleased(Data, frozen=True, gc=False, kw_only=True):
    """The agent gave it back."""

    agent_id: str = ""
    reason: str = ""


class TaskStarted(Data, frozen=True, gc=False, kw_only=True):
    """An attempt begins. `checkpoint_ref` is where it continues from, if it does."""

    checkpoint_ref: str | None = None
    input: Any = None
    input_ref: str | None = None


class TaskProgressed(Data, frozen=True, gc=False, kw_only=True):
    """`progress` is the share done, 0 to 1; `step` names what is being done."""

    progress: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    step: str = ""
    message: str = ""


class TaskPaused(Data, frozen=True, gc=False, kw_only=True):
    """`reason` is approval, question or credentials; another word counts as a question."""

    reason: str = ""
    approval_id: str = ""
    question: str = ""
    checkpoint_ref: str | None = None


class TaskResumed(Data, frozen=True, gc=False, kw_only=True):
    """Work goes on, because of this decision if there was one."""

    reason: str = ""
    approval_id: str = ""
    decision_id: str = ""


class TaskAttemptFailed(Data, frozen=True, gc=False, kw_only=True):
    """An attempt failed and another follows; the last one is task.failed instead."""

    error: Failure | None = None
    next_attempt_at: Instant | None = None
    max_attempts: Ordinal | None = None


class TaskCheckpointed(Data, frozen=True, gc=False, kw_only=True):
    """Where the work can be taken up again: a reference, never the content."""

    checkpoint_ref: str = ""
    digest: Digest | None = None
    size: Count | None = None


class TaskArtifactProduced(Data, frozen=True, gc=False, kw_only=True):
    """Something was made: a reference with its name, media type, size in bytes and digest."""

    name: str = ""
    artifact_ref: str = ""
    media_type: str = ""
    size: Count | None = None
    digest: Digest | None = None


class TaskEscalated(Data, frozen=True, gc=False, kw_only=True):
    """The task needs someone higher up: `to` is a group or role, `level` counts up."""

    reason: str = ""
    to: str = ""
    level: Count = 0


class TaskCompleted(Data, frozen=True, gc=False, kw_only=True):
    """The task's result: a small one inline, a large one by reference."""

    output: Any = None
    output_ref: str | None = None


class TaskFailed(Data, frozen=True, gc=False, kw_only=True):
    """The last attempt failed. `dead_lettered`: the command was put on the dead letter topic."""

    error: Failure | None = None
    reason: str = ""
    dead_lettered: bool = False


class TaskCanceled(Data, frozen=True, gc=False, kw_only=True):
    """It was stopped before it ended."""

    reason: str = ""


class TaskCancelDeclined(Data, frozen=True, gc=False, kw_only=True):
    """It cannot be stopped any more."""

    reason: str = ""


class TaskExpired(Data, frozen=True, gc=False, kw_only=True):
    """Its time ran out, also without ever having begun."""

    reason: str = ""
    deadline: Instant | None = None
    error: Failure | None = None


class TaskInvalidated(Data, frozen=True, gc=False, kw_only=True):
    """A finished result was lost; the task is to be done again."""

    reason: str = ""


class TaskReopened(Data, frozen=True, gc=False, kw_only=True):
    """A finished task is set back to requested."""

    reason: str = ""


class TaskCompensation(Data, frozen=True, gc=False, kw_only=True):
    """Undoing has begun or is done; `compensating_task_id` is the task that does it."""

    compensating_task_id: str = ""
    note: str = ""


class TaskCompensationFailed(Data, frozen=True, gc=False, kw_only=True):
    """Undoing failed: the effects stand."""

    compensating_task_id: str = ""
    error: Failure | None = None
