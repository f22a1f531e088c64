"""What happens to a piece of work, one function per step: the facts it emits and the memory it leaves.

Every step is one transaction: facts, memory, and the position of the command where it is done with. A process
killed anywhere has either said a step and remembers it, or neither. Which facts a step has depends on the kind of
work: a task, the compensation of a task (a small life of its own after the task's end), or a fact somebody
subscribed to (which has none: its own end is only remembered).
"""

from collections.abc import Sequence
from typing import Any, Final

from coordination.agent.deadletter import Reason, dead_letter
from coordination.agent.errors import Fatal, Released, WorkerLost, failure
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.keys import idempotency_key
from coordination.agent.retry import Retry
from coordination.agent.voice import Said
from coordination.agent.work import Work
from coordination.errors import CoordinationError, MalformedRecord
from coordination.event import Event
from coordination.eventlog import NewRecord, Record
from coordination.events import run, task
from coordination.events.operation import RecordDeadlettered
from coordination.events.shapes import Data, Failure
from coordination.instants import moment

SOON: Final = 50_000
"""Microseconds until work of a lost instance is taken up: it was somebody's fault, but not the task's."""


def accept(instance: Instance, work: Work) -> None:
    """An instance has the command in its hands, and no slot for it yet."""
    work.announced = True
    instance.queue(work.memory, [_fact(instance, work, "task.accepted")] if work.memory.kind == "task" else [])


async def start(instance: Instance, work: Work) -> None:
    """An attempt begins. It is remembered before the handler runs, so that a crash counts as an attempt."""
    memory = work.memory
    said = []
    if memory.kind == "task":
        if not work.announced:
            said.append(_fact(instance, work, "task.accepted"))
        memory.attempt += 1
        said.append(_fact(instance, work, "task.started"))
        memory.cause = said[-1].event_id
    else:
        memory.attempt += 1
        if memory.kind == "compensation" and memory.attempt == 1:
            said.append(_fact(instance, work, "task.compensation.started"))
    work.announced = True
    memory.status, memory.due_at = "working", None
    await instance.remember(memory, said)


async def go_on(instance: Instance, work: Work) -> None:
    """The handler is run again after a wait, in the same attempt."""
    work.memory.status = "working"
    await instance.remember(work.memory)


async def complete(instance: Instance, work: Work, output: Any, said: Sequence[Said] = ()) -> None:
    """The handler returned."""
    memory = work.memory
    facts = {
        "task": ("task.completed", task.TaskCompleted(output=output)),
        "compensation": ("task.compensated", task.TaskCompensation()),
    }
    end = [_fact(instance, work, *facts[memory.kind])] if memory.kind in facts else []
    over = _run_ends(instance, work, "run.completed", run.RunCompleted(output=output), end)
    _close(instance, work, "completed", output)
    instance.counters.handled += 1
    await instance.remember(memory, [*said, *end, *over], finish=True)


async def attempt_failed(instance: Instance, work: Work, error: Exception, policy: Retry) -> None:
    """The attempt failed: another follows after a while, or the work is given up."""
    memory = work.memory
    _count(memory, error)
    if not _worth_retrying(error) or policy.exhausted(memory.failures, memory.losses):
        await give_up(instance, work, error)
        return
    soon = isinstance(error, WorkerLost | Released)
    delay = SOON if soon else policy.delay(memory.failures, instance.chance)
    memory.status, memory.due_at = "retry_wait", instance.clock() + delay
    data = task.TaskAttemptFailed(
        error=failure(error), next_attempt_at=moment(memory.due_at), max_attempts=policy.attempts
    )
    said = [_fact(instance, work, "task.attempt.failed", data)] if memory.kind == "task" else []
    if isinstance(error, Released) and memory.kind == "task":
        said.append(_fact(instance, work, "task.released", task.TaskReleased(reason=str(error))))
    instance.counters.retried += 1
    await instance.remember(memory, said, finish=True)


async def give_up(instance: Instance, work: Work, error: Exception) -> None:
    """No attempt follows: the work has failed and its command becomes a dead letter."""
    memory, shown = work.memory, failure(error)
    end = []
    if memory.kind == "task":
        end = [_fact(instance, work, "task.failed", task.TaskFailed(error=shown, dead_lettered=True))]
    elif memory.kind == "compensation":
        end = [_fact(instance, work, "task.compensation.failed", task.TaskCompensationFailed(error=shown))]
    reason = Reason(
        stage="handler",
        code=error.code if isinstance(error, CoordinationError) else "handler_failed",
        message=shown.message,
        exception=shown.type,
        retryable=_worth_retrying(error),
        deliveries=max(memory.attempt, 1),
    )
    letter = dead_lettered(instance, memory.command, reason) if memory.command is not None else []
    instance.counters.failed += 1
    await _end_badly(instance, work, "failed", end, shown, more=letter)


async def reject(instance: Instance, work: Work, reason: str, letter: Reason | None = None) -> None:
    """The group will not do it; with `letter` the command is kept for a redrive."""
    end = [_fact(instance, work, "task.rejected", task.TaskRejected(reason=reason))]
    more: list[NewRecord] = []
    if letter is not None and work.memory.command is not None:
        more = dead_lettered(instance, work.memory.command, letter)
    await _end_badly(instance, work, "rejected", end, Failure(type="Rejected", message=reason), more=more)


async def expire(instance: Instance, work: Work, reason: str) -> None:
    """Its time ran out before the attempt could begin."""
    expiry = work.event.expiry_at
    data = task.TaskExpired(reason=reason, deadline=None if expiry is None else moment(expiry))
    end = [_fact(instance, work, "task.expired", data)] if work.memory.kind == "task" else []
    await _end_badly(instance, work, "expired", end, Failure(type="Expired", message=reason))


async def cancel(instance: Instance, work: Work, reason: str) -> None:
    """It was stopped, as somebody asked."""
    memory = work.memory
    end = [_fact(instance, work, "task.canceled", task.TaskCanceled(reason=reason))]
    over = _run_ends(instance, work, "run.canceled", run.RunCanceled(reason=reason), end)
    children = stop_children(instance, work, reason, end[0].event_id)
    _close(instance, work, "canceled")
    await instance.remember(memory, [*end, *over], children, finish=True)


async def release(instance: Instance, work: Work, reason: str) -> None:
    """It was accepted, but is given back before it began."""
    said = [_fact(instance, work, "task.released", task.TaskReleased(reason=reason))]
    await instance.remember(work.memory, said if work.memory.kind == "task" else [])


def dead_lettered(instance: Instance, record: Record, reason: Reason) -> list[NewRecord]:
    """The dead letter of a record, and the fact that says so."""
    instance.counters.dead_letters += 1
    letter = dead_letter(record, reason, group=instance.consumer_group, at=instance.clock(), manifest=instance.manifest)
    event = _readable(instance, record)
    data = RecordDeadlettered(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        group=instance.consumer_group,
        stage=reason.stage,
        code=reason.code,
        message=reason.message,
        retryable=reason.retryable,
        delivery_count=reason.deliveries,
        event_id=event.id if event else "",
        event_source=event.source if event else "",
        event_type=event.type if event else "",
        task_id=event.task_id if event else "",
    )
    fact = instance.voice.say(
        "record.deadlettered",
        run_id=event.run_id if event else "",
        data=data,
        subject=f"group/{instance.consumer_group}",
        causation=event.id if event else "",
    )
    return [letter, fact.record]


def shown(reason: Reason) -> Failure:
    """A reason as error data."""
    return Failure(type=reason.code, message=reason.message)


def _readable(instance: Instance, record: Record) -> Event | None:
    try:
        return instance.decoder.decode(record)
    except MalformedRecord:
        return None


async def _end_badly(
    instance: Instance,
    work: Work,
    status: Any,
    end: list[Said],
    error: Failure,
    *,
    more: Sequence[NewRecord] = (),
) -> None:
    over = _run_ends(
        instance, work, "run.failed", run.RunFailed(error=error, reason=error.message, task_id=work.task_id), end
    )
    cause = end[0].event_id if end else work.cause
    children = stop_children(instance, work, f"The task that asked for it ended: {status}.", cause)
    _close(instance, work, status)
    await instance.remember(work.memory, [*end, *over], [*children, *more], finish=True)


def _fact(instance: Instance, work: Work, name: str, data: Data | None = None) -> Said:
    attempt = work.memory.attempt or None
    return instance.say(work.event, name, data, attempt=attempt, causation=work.cause)


def _run_ends(instance: Instance, work: Work, name: str, data: Data, end: Sequence[Said]) -> list[Said]:
    handler = instance.spec.tasks.get(work.task_type) if work.memory.kind == "task" else None
    if handler is None or not handler.ends_run or not end:
        return []
    cause = end[0].event_id
    return [instance.voice.say(name, run_id=work.event.run_id, data=data, tenant=work.event.tenant, causation=cause)]


def stop_children(instance: Instance, work: Work, reason: str, cause: str) -> list[NewRecord]:
    """Ask every sub-task that is still awaited to stop, so that no branch outlives what it was for."""
    if work.memory.kind == "fact":
        return []
    said = [
        cancel_request(instance, work.event, step.value["task_id"], step.value["group"], reason, cause)
        for step in work.memory.journal.values()
        if not step.done and isinstance(step.value, dict) and "group" in step.value
    ]
    return [*(one.record for one in said), *instance.abandon(work, reason, cause)]


def cancel_request(instance: Instance, parent: Event, task_id: str, group: str, reason: str, cause: str) -> Said:
    """The request to cancel one sub-task of the task of `parent`."""
    return instance.say(
        parent,
        "task.cancel.requested",
        task.TaskCancelRequested(reason=reason),
        task_id=task_id,
        parent_task_id=parent.task_id,
        fanout_id="",
        fanout_index=None,
        target_group=group,
        idempotency_key=idempotency_key("cancel", task_id),
        causation=cause,
    )


def _close(instance: Instance, work: Work, status: Any, output: Any = None) -> None:
    """Shrink the memory to what recognises a duplicate; what a compensation would need stays."""
    memory = work.memory
    work.disarm()
    memory.status, memory.due_at, memory.gate = status, None, None
    memory.waits_for, memory.since = "", {}
    if memory.kind == "task" and work.task_type in instance.spec.compensations:
        memory.output = output
    else:
        memory.command, memory.journal = None, {}
    instance.works.pop(work.name, None)


def _count(memory: Handled, error: Exception) -> None:
    if isinstance(error, WorkerLost):
        memory.losses += 1
    elif not isinstance(error, Released):
        memory.failures += 1


def _worth_retrying(error: Exception) -> bool:
    # An error of the library says itself whether trying again may help; anything else may be a passing trouble.
    return not isinstance(error, Fatal) and (error.retryable if isinstance(error, CoordinationError) else True)
