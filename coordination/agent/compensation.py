"""task.compensation.requested: undo the effects of a task that has ended.

The compensation is work of its own, with its own tries and its own end; its handler sees the input and the output of
the task it undoes. It is done once: a second request finds it running or done, a request after a failure tries
again.
"""

from coordination.agent import transitions
from coordination.agent.deadletter import Reason
from coordination.agent.desk import Desk
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.work import new_memory
from coordination.event import Event
from coordination.eventlog import Record, TopicPartition
from coordination.events import task


class Compensation:
    """Takes requests to compensate."""

    def __init__(self, instance: Instance, desk: Desk) -> None:
        self._instance, self._desk = instance, desk

    async def take(self, event: Event, record: Record) -> bool:
        """Begin the compensation; returns whether the record's offset is done with."""
        shelf = self._instance.ledger.shelf(event.partition)
        known = shelf.get("compensation", event.task_id)
        if known is not None and (known.open or known.status == "completed"):
            self._instance.counters.duplicates += 1
            return True
        undone = shelf.get("task", event.task_id)
        if undone is None or undone.open or undone.command is None:
            await self._decline(event, record, undone)
            return True
        memory = new_memory("compensation", event.task_id, event, record, self._instance.group)
        memory.output, memory.cause = undone.output, event.id
        self._desk.take_in(self._desk.open(memory, self._instance.decoder.decode(undone.command)))
        return False

    async def _decline(self, event: Event, record: Record, undone: Handled | None) -> None:
        ended = undone is None or not undone.open
        why = "this group knows no such task, or cannot undo tasks of its type" if ended else "the task has not ended"
        reason = Reason(stage="routing", code="cannot_compensate", message=f"Nothing was undone: {why}.")
        records = transitions.dead_lettered(self._instance, record, reason)
        if ended:
            data = task.TaskCompensationFailed(error=transitions.shown(reason))
            records.append(self._instance.say(event, "task.compensation.failed", data).record)
        await self._instance.write(TopicPartition(record.topic, record.partition), records)
