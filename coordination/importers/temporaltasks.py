"""Activities and child workflows of a Temporal history, as tasks, attempts and fan-outs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from coordination.canonical import digest
from coordination.events.fanout import Cause
from coordination.foldkeys import FoldKeys
from coordination.importers.recording import MAX_ID, fitting, slug
from coordination.importers.tasktypes import clean_task_type
from coordination.importers.temporalfailure import failure_of, unwritten_attempts
from coordination.importers.temporalhistory import Native, number_of, payloads, text_in
from coordination.importers.temporalwriter import Writer
from coordination.instants import moment

SCHEDULES: Final = frozenset({"ActivityTaskScheduled", "StartChildWorkflowExecutionInitiated"})
# Entry type -> the fact it is, and the outcome of the branch it ends.
ENDS: Final[Mapping[str, tuple[str, str]]] = {
    "ActivityTaskCompleted": ("task.completed", "completed"),
    "ActivityTaskFailed": ("task.failed", "failed"),
    "ActivityTaskTimedOut": ("task.expired", "expired"),
    "ActivityTaskCanceled": ("task.canceled", "canceled"),
    "StartChildWorkflowExecutionFailed": ("task.rejected", "rejected"),
    "ChildWorkflowExecutionCompleted": ("task.completed", "completed"),
    "ChildWorkflowExecutionFailed": ("task.failed", "failed"),
    "ChildWorkflowExecutionCanceled": ("task.canceled", "canceled"),
    "ChildWorkflowExecutionTimedOut": ("task.expired", "expired"),
    "ChildWorkflowExecutionTerminated": ("task.canceled", "canceled"),
}


class Work(msgspec.Struct):
    """A task as far as the history has told it. `number` is that of the entry that scheduled it."""

    task_id: str
    group: str
    number: int
    scheduled_at: int
    policy: Any
    model: str
    attempt: int = 0
    fanout: tuple[int, int] | None = None
    outcome: str = ""
    ended_by: str = ""
    ended_at: int = 0


class Tasks:
    """Follows tasks through a history, and which results led to which decisions."""

    def __init__(self, writer: Writer, natives: list[Native]) -> None:
        self._writer = writer
        self._keys = FoldKeys()
        self._works: dict[int, Work] = {}
        self._ids: set[str] = set()
        scheduled = (one.ref("workflowTaskCompletedEventId") for one in natives if one.type in SCHEDULES)
        self._branches = {number: count for number, count in Counter(scheduled).items() if number and count > 1}
        self._fanouts: dict[int, list[Work]] = {}
        # Task ids whose results no decision has received yet, those the current one works on, and by decision.
        self._fresh: list[str] = []
        self._received: list[str] = []
        self._decided: dict[int, tuple[str, ...]] = {}
        self._timers: dict[int, tuple[str, ...]] = {}

    def follow(self, native: Native) -> None:
        """What a workflow task received, and what a timer hands on."""
        if native.type == "WorkflowTaskStarted":
            self._received, self._fresh = self._fresh, []
        elif native.type in ("WorkflowTaskFailed", "WorkflowTaskTimedOut"):
            self._received, self._fresh = [], self._received + self._fresh
        elif native.type == "WorkflowTaskCompleted":
            self._decided[native.number] = tuple(dict.fromkeys(self._received))
            self._received = []
        elif native.type == "TimerStarted":
            self._timers[native.number] = self._decided.get(native.ref("workflowTaskCompletedEventId"), ())
        elif native.type == "TimerFired":
            self._fresh += self._timers.get(native.ref("startedEventId"), ())

    def requested(self, native: Native, type_name: str, native_id: str) -> None:
        """A task was scheduled."""
        decision = native.ref("workflowTaskCompletedEventId")
        inputs = self._decided.get(decision, ())
        task_type = clean_task_type(type_name or native.type)
        group = slug(native.text("taskQueue", "name"), "workers")
        work = Work(
            task_id=self._task_id(native, native_id),
            group=group,
            number=native.number,
            scheduled_at=native.time,
            policy=native.attributes.get("retryPolicy"),
            model=_model_name(native),
        )
        self._works[native.number] = work
        members = self._open_fanout(native, decision) if decision in self._branches else None
        if members is not None:
            work.fanout = (decision, len(members))
            members.append(work)
        self._writer.write(
            "task.requested",
            native,
            agent_id="workflow",
            task_id=work.task_id,
            target_group=group,
            fold_key=self._keys.stamp(work.task_id, task_type, group, inputs),
            idempotency_key=work.task_id,
            data={
                "task_type": task_type,
                "title": type_name,
                "depends_on": inputs,
                "input": fitting(payloads(native.attributes.get("input"))),
            },
            **self._membership(work),
        )

    def _task_id(self, native: Native, native_id: str) -> str:
        """The activity's own id under its run: activity ids are numbers that every run uses anew."""
        run = self._writer.scribe.run_id
        found = f"{run}.{native_id or native.number}"
        if found in self._ids:
            found = f"{run}.{native_id}.{native.number}"
        if len(found) > MAX_ID or not found.isprintable():
            found = f"{run[:60]}.{digest(found)[:32]}"
        self._ids.add(found)
        return found

    def _membership(self, work: Work) -> dict[str, Any]:
        if work.fanout is None:
            return {}
        decision, index = work.fanout
        return {
            "fanout_id": self._fanout_id(decision),
            "fanout_index": index,
            "fanout_count": self._branches[decision],
        }

    def _fanout_id(self, decision: int) -> str:
        return f"{self._writer.scribe.run_id[:100]}.fanout-{decision}"

    def _open_fanout(self, native: Native, decision: int) -> list[Work]:
        if decision not in self._fanouts:
            self._fanouts[decision] = []
            # A history does not say what the workflow waits for; that all branches end is the least it can mean.
            count = self._branches[decision]
            common: dict[str, Any] = {"derived": True, "fanout_id": self._fanout_id(decision), "fanout_count": count}
            self._writer.write(
                "fanout.opened", native, data={"join": "all_settled", "on_failure": "continue"}, **common
            )
            self._writer.write("fanout.sealed", native, data={"count": count}, **common)
        return self._fanouts[decision]

    def started(self, native: Native, attempt: int) -> None:
        """An attempt began; those before it were never written, and are told from what is known of them."""
        work = self._work(native)
        if work is None:
            return
        failure = failure_of(native.attributes.get("lastFailure"))
        for one in unwritten_attempts(work.scheduled_at, native.time, attempt, work.policy):
            if one.number <= work.attempt:
                continue
            common: dict[str, Any] = {"task_id": work.task_id, "attempt": one.number, "agent_group": work.group}
            self._writer.write("task.started", native, time=one.started_at, phase=f"started.{one.number}", **common)
            last = one.number == attempt - 1
            data = {"error": failure if last else None, "next_attempt_at": moment(one.next_at)}
            self._writer.write(
                "task.attempt.failed", native, time=one.failed_at, phase=f"failed.{one.number}", data=data, **common
            )
        work.attempt = attempt
        self._writer.write("task.started", native, task_id=work.task_id, attempt=attempt, agent_group=work.group)

    def cancel_requested(self, native: Native) -> None:
        """The workflow asked a task to stop."""
        work = self._work(native)
        if work is not None:
            self._writer.write(
                "task.cancel.requested",
                native,
                agent_id="workflow",
                task_id=work.task_id,
                target_group=work.group,
                idempotency_key=f"{work.task_id}.cancel"[:MAX_ID],
                data={"reason": "the workflow asked for it"},
            )

    def ended(self, native: Native, name: str, outcome: str) -> None:
        """A task ended."""
        work = self._work(native)
        if work is None:
            return
        model = _model_call(native, work.model)
        common: dict[str, Any] = {"task_id": work.task_id, "attempt": work.attempt or None, "agent_group": work.group}
        if model is not None:
            self._writer.write("model.call.completed", native, phase="model", data=model, **common)
        ident = self._writer.write(name, native, data=_end(native, outcome), **common)
        self._fresh.append(work.task_id)
        self._settle(native, work, outcome, ident)

    def close(self, native: Native, reason: str) -> None:
        """The run ended: what is still open was dropped with it."""
        for work in [one for one in self._works.values() if not one.outcome]:
            ident = self._writer.write(
                "task.canceled",
                native,
                derived=True,
                phase=f"canceled.{work.number}",
                agent_id="workflow",
                task_id=work.task_id,
                attempt=work.attempt or None,
                agent_group=work.group,
                data={"reason": reason},
            )
            work.outcome, work.ended_by, work.ended_at = "canceled", ident, native.time
        for decision in list(self._fanouts):
            self._join("fanin.failed", native, decision, {"reason": "the run ended before all branches did"})

    def _settle(self, native: Native, work: Work, outcome: str, event_id: str) -> None:
        """Note how a task ended; the last of a fan-out satisfies its join."""
        if not work.outcome:
            work.outcome, work.ended_by, work.ended_at = outcome, event_id, native.time
        if work.fanout is None:
            return
        decision, _ = work.fanout
        members = self._fanouts[decision]
        if len(members) == self._branches[decision] and all(one.outcome for one in members):
            self._join("fanin.satisfied", native, decision, {})

    def _join(self, name: str, native: Native, decision: int, more: Mapping[str, Any]) -> None:
        members = sorted(self._fanouts.pop(decision), key=lambda one: one.ended_at)
        self._writer.write(
            name,
            native,
            derived=True,
            phase=f"{name}.{decision}",
            causation=members[-1].ended_by,
            fanout_id=self._fanout_id(decision),
            fanout_count=self._branches[decision],
            data={"causes": list(_causes(members)), **more},
        )

    def _work(self, native: Native) -> Work | None:
        """The task an entry is about. An entry about a task the history does not have is told as it is."""
        work = self._works.get(native.ref("scheduledEventId") or native.ref("initiatedEventId"))
        if work is None:
            self._writer.write_foreign(f"io.temporal.history.{native.type}", native)
        return work


def _causes(members: Iterable[Work]) -> Iterable[Cause]:
    for work in sorted(members, key=lambda one: one.number):
        if work.fanout is not None:
            yield Cause(index=work.fanout[1], task_id=work.task_id, event_id=work.ended_by, outcome=work.outcome)


def _end(native: Native, outcome: str) -> dict[str, Any]:
    if outcome == "completed":
        return {"output": fitting(payloads(native.attributes.get("result")))}
    if outcome == "canceled":
        return {"reason": native.type}
    failure = native.attributes.get("failure")
    if outcome == "expired":
        kind = native.text("failure", "timeoutFailureInfo", "timeoutType") or native.text("timeoutType")
        return {"reason": kind or "timed out", "error": failure_of(failure)}
    return {"reason": native.text("cause") or native.text("retryState"), "error": failure_of(failure)}


def _model_name(native: Native) -> str:
    """The model an activity was asked to call; empty if its input names none."""
    inputs = payloads(native.attributes.get("input"))
    return next((text for one in inputs if (text := text_in(one, "model_name") or text_in(one, "model"))), "")


def _model_call(native: Native, model: str) -> dict[str, Any] | None:
    """The model call an activity made, told by the usage in its result; None if it made none."""
    for result in payloads(native.attributes.get("result")):
        usage = result.get("usage") if isinstance(result, Mapping) else None
        if isinstance(usage, Mapping) and "input_tokens" in usage and "output_tokens" in usage:
            return {
                "model": model[:MAX_ID] or "unknown",
                "tokens_in": number_of(usage["input_tokens"]),
                "tokens_out": number_of(usage["output_tokens"]),
            }
    return None
