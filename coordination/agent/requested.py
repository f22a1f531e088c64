"""task.requested, addressed to this group: new, seen before, or impossible."""

from coordination.agent import transitions
from coordination.agent.deadletter import Reason
from coordination.agent.dedupe import fingerprint_of, scope_of, verdict
from coordination.agent.desk import Desk
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.work import Work, new_memory
from coordination.event import Event
from coordination.eventlog import NewRecord, Record, TopicPartition
from coordination.events import task

MAX_COMMAND = 400_000
"""Bytes of a command that still fit into a memory, together with what is recorded about it."""


class Requested:
    """Takes commands for new work."""

    def __init__(self, instance: Instance, desk: Desk) -> None:
        self._instance, self._desk = instance, desk

    async def take(self, event: Event, record: Record) -> bool:
        """Act on the command; returns whether its offset is done with."""
        fingerprint = fingerprint_of(record.value)
        found, known = verdict(event, self._instance.ledger.shelf(event.partition), fingerprint)
        if known is None:
            return await self._begin(self._work(event, record, fingerprint), record)
        if found == "redriven":
            return await self._again(event, record, known, fingerprint)
        if found == "canceled":
            known.idempotency = (scope_of(event), event.idempotency_key, fingerprint)
            known.note(event.source, event.id)
            await self._instance.remember(known)
        elif found == "duplicate":
            self._instance.counters.duplicates += 1
        else:
            await self._refuse(event, record, known, conflict=found == "conflict")
        return True

    def _work(self, event: Event, record: Record, fingerprint: str) -> Work:
        memory = new_memory("task", event.task_id, event, record, self._instance.group)
        memory.idempotency = (scope_of(event), event.idempotency_key, fingerprint)
        return self._desk.open(memory, event)

    async def _begin(self, work: Work, record: Record) -> bool:
        refusal = self._unable(work, record)
        if refusal is not None:
            await transitions.reject(self._instance, work, refusal.message, refusal)
        else:
            self._desk.take_in(work)
        return False

    async def _again(self, event: Event, record: Record, known: Handled, fingerprint: str) -> bool:
        """A redriven command of a task that had failed: the task is opened anew, with all its tries before it."""
        work = self._work(event, record, fingerprint)
        work.memory.attempt, work.memory.decisions = known.attempt, known.decisions
        work.memory.seen = known.seen
        data = task.TaskReopened(reason="The command was redriven.")
        said = self._instance.say(event, "task.reopened", data, attempt=known.attempt or None)
        # Not awaited: what follows stands behind it in the same queue.
        self._instance.queue(work.memory, [said])
        return await self._begin(work, record)

    def _unable(self, work: Work, record: Record) -> Reason | None:
        spec = self._instance.spec
        if work.task_type not in spec.tasks:
            known = ", ".join(sorted(spec.tasks)) or "none"
            message = f"Group {spec.group} does not know the task type {work.task_type!r}. It knows: {known}."
            return Reason(stage="routing", code="unknown_task_type", message=message)
        if len(record.value or b"") > MAX_COMMAND:
            message = f"The command is larger than {MAX_COMMAND} bytes; put its input behind input_ref."
            return Reason(stage="size", code="command_too_large", message=message)
        return None

    async def _refuse(self, event: Event, record: Record, known: Handled, *, conflict: bool) -> None:
        """The key was used before: for something else (conflict), or for the same under another task id."""
        self._instance.counters.conflicts += conflict
        self._instance.counters.duplicates += not conflict
        what = "something else" if conflict else "the same"
        key = event.idempotency_key or event.task_id
        message = f"The idempotency key {key!r} was used before to ask for {what}, as task {known.key}."
        records: list[NewRecord] = []
        if conflict:
            reason = Reason(stage="idempotency", code="idempotency_conflict", message=message)
            records += transitions.dead_lettered(self._instance, record, reason)
        if known.key != event.task_id:
            said = self._instance.say(event, "task.rejected", task.TaskRejected(reason=message))
            records.append(said.record)
        await self._instance.write(TopicPartition(record.topic, record.partition), records)
