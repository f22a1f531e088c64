"""Running a handler once: how it begins, every way it may end, and what is said then."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec

from coordination.agent import transitions
from coordination.agent.context import TaskContext
from coordination.agent.errors import AttemptTimeout, Fatal, Rejected, Released
from coordination.agent.factcontext import FactContext
from coordination.agent.instance import Instance
from coordination.agent.joinkeeper import JoinKeeper
from coordination.agent.journal import Parked
from coordination.agent.retry import Retry
from coordination.agent.spec import FactHandler, TaskHandler
from coordination.agent.voice import Said
from coordination.agent.waits import Park, Parking
from coordination.agent.work import Work
from coordination.errors import MalformedRecord, MemberFenced, RecordTooLarge

logger: Final = logging.getLogger("coordination.agent")
AtHand = Callable[[Work], None]


class Execution:
    """Executes pieces of work of one instance; `later` is told of work that waits for a time."""

    def __init__(self, instance: Instance, keeper: JoinKeeper, *, armed: AtHand, go_on: AtHand) -> None:
        self._instance, self._keeper = instance, keeper
        self._armed, self._go_on = armed, go_on

    async def execute(self, work: Work) -> None:
        """Run the handler of a piece of work and write how it ended."""
        try:
            await self._execute(work)
        except MemberFenced as error:
            logger.info("Gave up %s: %s", work.name, error)
        except Exception as error:
            # Never the handler's own error: those are caught where it runs. The task must end all the same.
            logger.exception("The runtime failed at %s", work.name)
            await transitions.give_up(self._instance, work, error)

    async def _execute(self, work: Work) -> None:
        if work.memory.status == "ready":
            await transitions.go_on(self._instance, work)
        elif self._expired(work):
            await transitions.expire(self._instance, work, "Its time ran out before it could begin.")
            return
        else:
            await transitions.start(self._instance, work)
        handler = self.handler_of(work)
        if handler is None:
            await self._failed(work, Fatal(f"There is no handler for {work.name} any more."), Retry(attempts=1))
        elif isinstance(handler, FactHandler):
            await self._fact(work, handler)
        else:
            await self._task(work, handler)

    async def _task(self, work: Work, handler: TaskHandler) -> None:
        context = TaskContext(self._instance, work, self._keeper)
        output = await self._run(work, handler, handler.run(context), context.park)
        if output is not None:
            await self._completed(work, output.value, [], handler.retry)

    async def _fact(self, work: Work, handler: FactHandler) -> None:
        context = FactContext(self._instance, work)
        output = await self._run(work, handler, handler.run(context), Park())
        if output is not None:
            await self._completed(work, None, context.said, handler.retry)

    async def _run(
        self, work: Work, handler: TaskHandler | FactHandler, running: Coroutine[Any, Any, Any], park: Park
    ) -> "Output | None":
        """The handler's output; None when its end has been written here."""
        limit = asyncio.timeout(handler.timeout)
        # A task of its own, so that stopping it cannot interrupt what is written before and after it.
        work.running = asyncio.create_task(running)
        if work.stopping:
            work.running.cancel()
        try:
            async with limit:
                output = await work.running
        except Parked:
            assert park.parking is not None
            await self._parked(work, park.parking)
        except asyncio.CancelledError:
            await self._stopped(work, handler.retry)
        except MemberFenced:
            raise
        except Exception as error:
            expired = isinstance(error, TimeoutError) and limit.expired()
            await self._raised(work, _too_long(handler.timeout) if expired else error, handler.retry)
        else:
            if park.parking is None:
                return Output(output)
            swallowed = Fatal("The handler caught the end of its wait; let BaseException pass through it.")
            await self._failed(work, swallowed, handler.retry)
        return None

    async def _raised(self, work: Work, error: Exception, policy: Retry) -> None:
        if isinstance(error, Rejected) and work.memory.kind == "task":
            await transitions.reject(self._instance, work, str(error))
        else:
            await self._failed(work, error, policy)

    async def _completed(self, work: Work, output: Any, said: list[Said], policy: Retry) -> None:
        try:
            await transitions.complete(self._instance, work, msgspec.to_builtins(output), said)
        except (RecordTooLarge, MalformedRecord, TypeError) as error:
            reason = f"What the handler returned cannot be sent: {error}. Return JSON, large things by reference."
            await self._failed(work, Fatal(reason), policy)

    async def _parked(self, work: Work, parking: Parking) -> None:
        memory = work.memory
        memory.status, memory.gate = parking.status, parking.gate
        memory.waits_for, memory.since = parking.waits_for, parking.since
        if self._already_ended(work):
            # What it waits for ended while the handler was unwinding: nobody would tell it again.
            memory.status, memory.waits_for = "ready", ""
        else:
            self._armed(work)
        await self._instance.remember(memory, parking.said, finish=True)
        if memory.status == "ready":
            self._go_on(work)

    def _already_ended(self, work: Work) -> bool:
        memory = work.memory
        if memory.status != "waiting":
            return False
        fan = self._instance.ledger.shelf(memory.partition).get("fanout", memory.waits_for)
        return fan is not None and fan.joining is not None and bool(fan.joining.decided)

    async def _stopped(self, work: Work, policy: Retry) -> None:
        if work.stopping == "canceled":
            await transitions.cancel(self._instance, work, work.stop_reason)
        elif work.stopping == "released":
            await self._failed(work, Released(work.stop_reason), policy)
        elif work.stopping == "lost":
            raise MemberFenced("Its partition was taken away.")
        else:
            raise asyncio.CancelledError

    async def _failed(self, work: Work, error: Exception, policy: Retry) -> None:
        await transitions.attempt_failed(self._instance, work, error, policy)
        if work.memory.status == "retry_wait":
            self._armed(work)

    def _expired(self, work: Work) -> bool:
        expiry = work.event.expiry_at
        return work.memory.kind == "task" and expiry is not None and self._instance.clock() > expiry

    def handler_of(self, work: Work) -> TaskHandler | FactHandler | None:
        """The handler its author declared, if there still is one."""
        spec = self._instance.spec
        if work.memory.kind == "fact":
            return spec.facts.get(work.event.name)
        return (spec.tasks if work.memory.kind == "task" else spec.compensations).get(work.task_type)


class Output(msgspec.Struct, frozen=True):
    """What a handler returned, apart from having returned nothing."""

    value: Any


def _too_long(timeout: float | None) -> AttemptTimeout:
    return AttemptTimeout(f"The attempt took longer than {timeout:g} s.")
