"""The open work of an instance: what is taken up, what waits for a time or for others, and what is dropped."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from coordination.agent import transitions
from coordination.agent.errors import WorkerLost
from coordination.agent.execution import Execution
from coordination.agent.gate import Decision
from coordination.agent.handled import Handled
from coordination.agent.instance import Instance
from coordination.agent.joinkeeper import JoinKeeper, ended
from coordination.agent.retry import Retry
from coordination.agent.slots import Slots
from coordination.agent.subtasks import awaits
from coordination.agent.watch import Watch
from coordination.agent.work import Work
from coordination.errors import MalformedRecord, MemberFenced
from coordination.event import Event
from coordination.eventlog import StoredRecord, TopicPartition
from coordination.events.task import TaskResumed
from coordination.instants import MICROSECONDS

logger: Final = logging.getLogger("coordination.agent")


class Desk:
    """Holds `instance.works` and moves them on."""

    def __init__(self, instance: Instance, watch: Watch) -> None:
        self._instance = instance
        self._watch = watch
        self.keeper = JoinKeeper(instance, watch, self.go_on)
        self.slots = Slots(instance.spec.concurrency, self._start)
        self._execution = Execution(instance, self.keeper, armed=self.arm, go_on=self.go_on)
        self._awaited: dict[str, Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._runners: set[asyncio.Task[None]] = set()
        instance.abandon = self.keeper.abandon
        instance.since = watch.since

    def open(self, memory: Handled, event: Event) -> Work:
        """Take a piece of work on the desk. From now on a second request for it is recognised."""
        work = Work(memory, event)
        self._instance.ledger.shelf(memory.partition).keep(memory)
        self._instance.works[work.name] = work
        return work

    def take_in(self, work: Work) -> None:
        """Begin it when there is a slot; if there is none now, say that it was accepted and waits here."""
        if self.slots.closed or self.slots.taken >= self.slots.limit or len(self.slots):
            transitions.accept(self._instance, work)
        self.slots.enqueue(work)

    def go_on(self, work: Work) -> None:
        """Run its handler again now, after a wait."""
        if work.memory.status == "ready" and self._instance.works.get(work.name) is work:
            self.slots.go_on(work)

    def arm(self, work: Work) -> None:
        """Make sure that work which waits is woken: at a time, at a sub-task's end, at a gate's expiry."""
        memory = work.memory
        if memory.status == "retry_wait":
            self._at(work, memory.due_at or 0)
        elif memory.status == "paused" and memory.gate is not None and memory.gate.expires_at is not None:
            if memory.gate.on_expiry == "reject":
                self._at(work, memory.gate.expires_at + int(self._instance.spec.gate_grace * MICROSECONDS))
        elif memory.status == "waiting" and memory.waits_for not in self.keeper:
            self._awaited[memory.waits_for] = work
            self._watch.follow(memory.waits_for)

    async def ended(self, event: Event) -> None:
        """A task that somebody here may wait for has ended."""
        if event.fanout_id in self.keeper:
            await self.keeper.arrived(event)
        work = self._awaited.pop(event.task_id, None)
        if work is None:
            return
        self._watch.forget(event.task_id)
        memory, key = work.memory, awaits(work.memory, event.task_id)
        if key is None or self._instance.works.get(work.name) is not work:
            return
        step = memory.journal[key]
        memory.journal[key] = msgspec.structs.replace(
            step, done=True, value=step.value | {"ended": msgspec.to_builtins(ended(event))}
        )
        memory.status, memory.waits_for, memory.cause = "ready", "", event.id
        await self._remember_and_go_on(work)

    def answered(self, work: Work, decision: Decision, valid_until: int | None) -> None:
        """Record the decision a paused task waited for; it is then ready."""
        memory = work.memory
        assert memory.gate is not None
        step = memory.journal[memory.gate.step]
        value = step.value | {"decision": msgspec.to_builtins(decision), "valid_until": valid_until}
        memory.journal[memory.gate.step] = msgspec.structs.replace(step, done=True, attempt=memory.attempt, value=value)
        memory.status, memory.gate = "ready", None
        work.disarm()

    async def recover(self, memories: Sequence[Handled]) -> None:
        """Take over open work of partitions that are assigned now."""
        oldest: dict[int, int] = {}
        fans = [memory for memory in memories if memory.open and memory.joining is not None]
        for memory in fans:
            self.keeper.follow(memory)
            _lower(oldest, memory.joining.since if memory.joining is not None else {})
        works = [self._reopen(memory) for memory in memories if memory.open and memory.joining is None]
        for work in works:
            if work is not None and work.memory.status == "waiting":
                _lower(oldest, work.memory.since)
        for work in works:
            if work is not None:
                await self._take_up(work)
        for memory in fans:
            await self.keeper.check(memory)
        if oldest:
            await self._watch.back_to(oldest)

    def drop(self, partition: TopicPartition) -> None:
        """Let go of the work of a partition that was taken away."""
        for work in [work for work in self._instance.works.values() if work.memory.source == partition]:
            self._instance.works.pop(work.name, None)
            self._awaited.pop(work.memory.waits_for, None)
            self.slots.remove(work)
            work.stop("lost")
        for memory in self._instance.ledger.shelf(partition.partition):
            if memory.kind == "fanout" and memory.source == partition:
                self.keeper.drop(memory)

    async def release(self, grace: float) -> None:
        """Begin nothing any more; let what runs finish within `grace` seconds, then give the rest back."""
        reason = f"{self._instance.identity.agent_id} was stopped"
        waiting = self.slots.close()
        given_back = (transitions.release(self._instance, work, reason) for work in waiting)
        await asyncio.gather(*given_back, return_exceptions=True)
        running = [work for work in self._instance.works.values() if work.in_hand]
        if running:
            await asyncio.wait([work.runner for work in running if work.runner is not None], timeout=grace)
        for work in running:
            if work.in_hand:
                work.stop("released", reason)
        await asyncio.gather(*(work.runner for work in running if work.runner), return_exceptions=True)
        for work in self._instance.works.values():
            work.disarm()

    async def close(self) -> None:
        """Wait until every handler that was told to stop has done so."""
        self.slots.close()
        runners = [runner for runner in self._runners if not runner.done()]
        await asyncio.gather(*runners, *self._tasks, return_exceptions=True)

    def _start(self, work: Work) -> None:
        work.disarm()
        work.runner = asyncio.create_task(self._run(work))
        self._runners.add(work.runner)
        work.runner.add_done_callback(self._runners.discard)

    async def _run(self, work: Work) -> None:
        try:
            await self._execution.execute(work)
        finally:
            work.running = None
            self.slots.free()

    def _at(self, work: Work, due_at: int) -> None:
        work.disarm()
        delay = max(0, due_at - self._instance.clock()) / MICROSECONDS
        work.timer = asyncio.get_running_loop().call_later(delay, self._due, work)

    def _due(self, work: Work) -> None:
        if work.memory.status == "retry_wait":
            self.slots.enqueue(work)
        elif work.memory.status == "paused":
            self._spawn(work)

    def _spawn(self, work: Work) -> None:
        task = asyncio.create_task(self._gate_expired(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gate_expired(self, work: Work) -> None:
        gate = work.memory.gate
        if gate is None or work.memory.status != "paused":
            return
        self.answered(work, Decision(decision="expired", feedback="Nobody decided in time."), None)
        data = TaskResumed(reason="expired", approval_id=gate.approval_id)
        said = self._instance.say(work.event, "task.resumed", data, attempt=work.memory.attempt, causation=work.cause)
        try:
            await self._instance.remember(work.memory, [said])
        except MemberFenced as error:
            logger.info("Gave up %s: %s", work.name, error)
        self.go_on(work)

    async def _remember_and_go_on(self, work: Work) -> None:
        try:
            await self._instance.remember(work.memory)
        except MemberFenced as error:
            logger.info("Gave up %s: %s", work.name, error)
        self.go_on(work)

    def _reopen(self, memory: Handled) -> Work | None:
        record = self._command_of(memory)
        if record is None:
            return None
        try:
            return self.open(memory, self._instance.decoder.decode(record))
        except MalformedRecord:
            logger.exception("The remembered command of %s cannot be read any more.", memory.key)
            return None

    def _command_of(self, memory: Handled) -> StoredRecord | None:
        if memory.kind != "compensation":
            return memory.command
        undone = self._instance.ledger.shelf(memory.partition).get("task", memory.key)
        return undone.command if undone is not None else None

    async def _take_up(self, work: Work) -> None:
        status = work.memory.status
        if status == "accepted":
            self.slots.enqueue(work)
        elif status == "ready":
            self.go_on(work)
        elif status == "working":
            await self._lost(work)
        else:
            self.arm(work)

    async def _lost(self, work: Work) -> None:
        """Its instance fell silent while it worked on this: that attempt is over."""
        memory = work.memory
        error = WorkerLost(f"{memory.holder} fell silent or lost the partition during attempt {memory.attempt}.")
        handler = self._execution.handler_of(work)
        policy = handler.retry if handler is not None else Retry()
        try:
            await transitions.attempt_failed(self._instance, work, error, policy)
        except MemberFenced as fenced:
            logger.info("Gave up %s: %s", work.name, fenced)
        if memory.status == "retry_wait":
            self.arm(work)


def _lower(oldest: dict[int, int], since: dict[int, int]) -> None:
    for partition, offset in since.items():
        oldest[partition] = min(offset, oldest.get(partition, offset))
