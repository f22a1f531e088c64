"""task.cancel.requested: the answer is task.canceled or task.cancel.declined, or the end that came first."""

from coordination.agent import transitions
from coordination.agent.desk import Desk
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.work import Work
from coordination.event import Event
from coordination.events import task


class Cancellation:
    """Takes requests to cancel."""

    def __init__(self, instance: Instance, desk: Desk) -> None:
        self._instance, self._desk = instance, desk

    async def take(self, event: Event) -> None:
        """Stop the task; returns when its end is written. A task that has ended already needs no answer."""
        reason = event.data.reason or "as asked"
        memory = self._instance.ledger.shelf(event.partition).get("task", event.task_id)
        if memory is None:
            await self._call_off(event, reason)
            return
        work = self._instance.work_of(memory)
        if work is None or (event.source, event.id) in memory.seen:
            return
        memory.note(event.source, event.id)
        if not work.in_hand:
            self._desk.slots.remove(work)
            memory.cause = event.id
            await transitions.cancel(self._instance, work, reason)
        elif self._may_stop(work) and work.runner is not None:
            memory.cause = event.id
            work.stop("canceled", reason)
            await work.runner
        else:
            data = task.TaskCancelDeclined(reason="It has begun, and cannot be stopped any more.")
            said = self._instance.say(work.event, "task.cancel.declined", data, causation=event.id)
            await self._instance.remember(memory, [said])

    def _may_stop(self, work: Work) -> bool:
        handler = self._instance.spec.tasks.get(work.task_type)
        return handler is None or handler.cancelable

    async def _call_off(self, event: Event, reason: str) -> None:
        """Its command was not read yet: when it is, it will find that it was canceled."""
        memory = Handled(
            group=self._instance.group,
            kind="task",
            key=event.task_id,
            status="canceled",
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            updated_at=self._instance.clock(),
            run_id=event.run_id,
            tenant=event.tenant,
        )
        said = self._instance.say(event, "task.canceled", task.TaskCanceled(reason=reason))
        await self._instance.remember(memory, [said])
