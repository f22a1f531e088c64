"""Asking other groups to do something: the commands of sub-tasks, with fold keys stamped."""

from collections.abc import Iterable
from typing import Any

import msgspec

from coordination.agent.errors import SubtaskFailed
from coordination.agent.handled import Ended, Handled
from coordination.agent.instance import Instance
from coordination.agent.keys import idempotency_key
from coordination.agent.voice import Said
from coordination.agent.work import Work
from coordination.events.task import TaskRequested
from coordination.foldkeys import FoldKeys, fallback_key
from coordination.instants import MICROSECONDS


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a group. `expires_in` seconds from now nobody may begin it any more."""

    task_type: str
    group: str
    title: str = ""
    input: Any = None
    depends_on: tuple[str, ...] = ()
    expires_in: float | None = None
    priority: int = 0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a sub-task ended: `outcome` is its final state, `output` what it returned, `error` its last line.

    Outputs above 16 KiB are not carried along (`left_out`); let sub-tasks return references to large things.
    """

    task_id: str
    outcome: str
    index: int = 0
    output: Any = None
    error: str = ""
    left_out: bool = False

    @property
    def completed(self) -> bool:
        """Whether it did what it was asked."""
        return self.outcome == "completed"

    def required(self) -> Any:
        """The output. Raises SubtaskFailed when it did not complete."""
        if not self.completed:
            raise SubtaskFailed(f"{self.task_id} ended as {self.outcome}: {self.error or 'without a reason'}")
        return self.output


def result_of(ended: Ended, index: int = 0) -> Result:
    """What a handler sees of a task that ended."""
    return Result(
        task_id=ended.task_id,
        outcome=ended.outcome,
        index=index,
        output=ended.output,
        error=ended.error,
        left_out=ended.left_out,
    )


class Subtasks:
    """Makes the commands of one execution of a handler, and knows the fold keys of what it asked for."""

    def __init__(self, instance: Instance, work: Work) -> None:
        self._instance = instance
        self._work = work
        self._folds = FoldKeys()
        # Of the task a fact is about nobody here knows the fold; what follows from it folds by type and group.
        if work.memory.kind != "fact":
            self._folds.learn(work.task_id, work.event.fold_key or fallback_key(work.task_type, instance.group))

    def command(self, request: Request, task_id: str, step: str, **branch: Any) -> Said:
        """The command; `branch` are fan-out attributes. The same id and step give the same idempotency key."""
        data = TaskRequested(
            task_type=request.task_type,
            title=request.title,
            input=request.input,
            depends_on=request.depends_on,
            priority=request.priority,
        )
        return self._instance.say(
            self._work.event,
            "task.requested",
            data,
            task_id=task_id,
            parent_task_id=self._work.task_id,
            target_group=request.group,
            fold_key=self.stamp(request, task_id),
            idempotency_key=idempotency_key(self._work.task_id or self._work.event.id, step, task_id),
            expiry_at=self._expiry(request),
            causation=self._work.cause,
            **({"fanout_id": "", "fanout_index": None} | branch),
        )

    def stamp(self, request: Request, task_id: str) -> str:
        """The fold key of a sub-task, remembered for those that depend on it."""
        inputs: Iterable[str] = (self._work.task_id, *request.depends_on) if self._work.task_id else request.depends_on
        return self._folds.stamp(task_id, request.task_type, request.group, inputs)

    def _expiry(self, request: Request) -> int | None:
        if request.expires_in is None:
            return None
        return self._instance.clock() + int(request.expires_in * MICROSECONDS)


def awaits(memory: Handled, task_id: str) -> str | None:
    """The key of the step that waits for this sub-task."""
    for key, step in memory.journal.items():
        if not step.done and isinstance(step.value, dict) and step.value.get("task_id") == task_id:
            return key
    return None
