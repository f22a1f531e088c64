"""What happens when a decision, or its revocation, reaches the group of the task that waits for it."""

from coordination.agent.desk import Desk
from coordination.agent.gate import Decision, Refusal, judge
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.voice import Said
from coordination.agent.work import raw_data
from coordination.errors import CoordinationError
from coordination.event import Event
from coordination.eventlog import Record, TopicPartition
from coordination.events import approval
from coordination.events.shapes import Data
from coordination.events.task import TaskResumed
from coordination.instants import micros


class Decisions:
    """Answers decisions: applied, refused, revoked."""

    def __init__(self, instance: Instance, desk: Desk) -> None:
        self._instance, self._desk = instance, desk

    async def resume(self, event: Event, record: Record) -> None:
        """task.resume.requested: go on with the decision, or refuse it and say why."""
        memory = self._memory(event)
        if memory is not None and (event.source, event.id) in memory.seen:
            # The same event delivered again was answered then: a second answer would hide the first.
            self._instance.counters.duplicates += 1
            return
        verdict = judge(
            event.data, raw_data(record), memory, now=self._instance.clock(), keyring=self._instance.spec.keyring
        )
        if isinstance(verdict, Refusal):
            await self._refuse(event, memory, verdict)
        else:
            assert memory is not None
            await self._apply(event, memory, verdict)

    async def revoke(self, event: Event, record: Record) -> None:
        """decision.revoke.requested: not to be applied any more, if it was not yet."""
        memory, data = self._memory(event), event.data
        if memory is not None and (event.source, event.id) in memory.seen:
            self._instance.counters.duplicates += 1
            return
        try:
            self._instance.spec.keyring.verify(raw_data(record))
        except CoordinationError as error:
            await self._refuse(event, memory, Refusal("bad_signature", str(error)), of="revoke")
            return
        if memory is not None and data.decision_id in memory.decisions:
            await self._refuse(event, memory, Refusal("too_late", "It was applied already."), of="revoke")
            return
        if memory is not None and data.decision_id not in memory.revoked:
            memory.revoked.append(data.decision_id)
        revoked = approval.DecisionRevoked(
            decision_id=data.decision_id, approval_id=data.approval_id, request_version=data.request_version
        )
        await self._say(event, memory, [self._fact(event, memory, "decision.revoked", revoked)])

    async def _apply(self, event: Event, memory: Handled, decision: Decision) -> None:
        work = self._instance.work_of(memory)
        gate, data = memory.gate, event.data
        assert work is not None
        assert gate is not None
        self._desk.answered(work, decision, None if data.valid_until is None else micros(data.valid_until))
        resumed = TaskResumed(reason=decision.decision, approval_id=data.approval_id, decision_id=data.decision_id)
        said = [self._fact(event, memory, "task.resumed", resumed)]
        memory.cause = said[0].event_id
        if data.decision_id:
            memory.decisions.append(data.decision_id)
            applied = approval.DecisionApplied(
                decision_id=data.decision_id,
                approval_id=data.approval_id,
                request_version=data.request_version,
                content_hash=data.content_hash,
            )
            said.append(self._fact(event, memory, "decision.applied", applied))
        await self._say(event, memory, said)
        self._desk.go_on(work)

    async def _refuse(self, event: Event, memory: Handled | None, refusal: Refusal, of: str = "decision") -> None:
        self._instance.counters.refused += 1
        data = event.data
        refused = approval.DecisionRefused(
            decision_id=data.decision_id or event.id,
            reason=refusal.reason,
            of="revoke" if of == "revoke" else "decision",
            approval_id=data.approval_id,
            request_version=data.request_version,
            detail=refusal.detail,
        )
        await self._say(event, memory, [self._fact(event, memory, "decision.refused", refused)])

    async def _say(self, event: Event, memory: Handled | None, said: list[Said]) -> None:
        if memory is not None:
            memory.note(event.source, event.id)
            await self._instance.remember(memory, said)
        else:
            await self._instance.write(TopicPartition(event.topic, event.partition), [one.record for one in said])

    def _fact(self, event: Event, memory: Handled | None, name: str, data: Data) -> Said:
        attempt = memory.attempt if memory is not None else None
        return self._instance.say(event, name, data, attempt=attempt or None, target_group="")

    def _memory(self, event: Event) -> Handled | None:
        return self._instance.ledger.shelf(event.partition).get("task", event.task_id)
