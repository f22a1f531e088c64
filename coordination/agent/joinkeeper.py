"""Keeping joins: watch branches, decide by the rule, say so exactly once, and name who came late.

The fan-outs of a group belong to the instance that is assigned the partition of the task that opened them. What it
says of a join is written in one transaction with the memory that it was said and with that partition's position,
so a successor neither repeats nor forgets it, and a predecessor that lost the partition is refused.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from coordination.agent import joinrule
from coordination.agent.handled import Ended, Handled, Joining, record_of
from coordination.agent.instance import Instance
from coordination.agent.joinrule import Rule, Ruling
from coordination.agent.transitions import cancel_request
from coordination.agent.voice import Said
from coordination.agent.watch import ENDS, Watch
from coordination.agent.work import Work
from coordination.errors import MemberFenced
from coordination.event import Event
from coordination.eventlog import NewRecord
from coordination.events.fanout import (
    Branch,
    Cause,
    FaninBranchLate,
    FaninExpired,
    FaninFailed,
    FaninSatisfied,
)
from coordination.events.shapes import Data
from coordination.instants import MICROSECONDS

logger: Final = logging.getLogger("coordination.agent")
CATCH_UP: Final = 1.0
MAX_OUTPUT: Final = 16 * 1024
MAX_OUTPUTS: Final = 300 * 1024
MAX_NAMED: Final = 44 * 1024
Named = TypeVar("Named", Cause, Branch)


def ended(event: Event) -> Ended:
    """What a terminal fact says, without an output that is too large to be carried along."""
    output = getattr(event.data, "output", None)
    error = getattr(event.data, "error", None)
    large = output is not None and len(msgspec.json.encode(output)) > MAX_OUTPUT
    return Ended(
        task_id=event.task_id,
        outcome=ENDS[event.name],
        event_id=event.id,
        output=None if large else output,
        error=(error.message if error is not None else getattr(event.data, "reason", ""))[:500],
        left_out=large,
    )


class JoinKeeper:
    """The fan-outs of one instance. `wake` lets a task go on whose join was decided."""

    def __init__(self, instance: Instance, watch: Watch, wake: Callable[[Work], None]) -> None:
        self._instance = instance
        self._watch = watch
        self._wake = wake
        self._fans: dict[str, Handled] = {}
        self._ends: dict[str, dict[int, Ended]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._expiring: set[asyncio.Task[None]] = set()

    def __contains__(self, fanout_id: str) -> bool:
        return fanout_id in self._fans

    def follow(self, memory: Handled) -> None:
        """Watch the branches of a fan-out, and its deadline."""
        self._fans[memory.key] = memory
        self._ends.setdefault(memory.key, {})
        self._watch.follow(memory.key)
        joining = _joining(memory)
        if joining.deadline is not None and not joining.decided and memory.key not in self._timers:
            # After a restart the ends that came in time are read first.
            delay = max(CATCH_UP, (joining.deadline - self._instance.clock()) / MICROSECONDS)
            loop = asyncio.get_running_loop()
            self._timers[memory.key] = loop.call_later(delay, self._run_out, memory)

    def drop(self, memory: Handled) -> None:
        """Watch it no more: it belongs to another instance now, or is over."""
        self._fans.pop(memory.key, None)
        self._ends.pop(memory.key, None)
        self._watch.forget(memory.key)
        timer = self._timers.pop(memory.key, None)
        if timer is not None:
            timer.cancel()

    async def arrived(self, event: Event) -> None:
        """A branch ended."""
        memory, index = self._fans.get(event.fanout_id), event.fanout_index
        if memory is None or index is None:
            return
        joining, end = _joining(memory), ended(event)
        ends = self._ends[memory.key]
        known = ends.get(index)
        if known is not None and (known.outcome == joinrule.SUCCESS or known.event_id == end.event_id):
            return
        ends[index] = end
        if not joining.decided:
            await self.check(memory, event.id)
        elif index not in joining.late and end.event_id not in {one.event_id for one in joining.ended.values()}:
            await self._late(memory, index, end, event.id)
        await self._close_if_over(memory)

    async def check(self, memory: Handled, cause: str = "") -> None:
        """Decide the join if its rule allows."""
        joining = _joining(memory)
        if joining.decided:
            return
        outcomes = {index: end.outcome for index, end in self._ends.get(memory.key, {}).items()}
        expected = len(joining.branches) if joining.sealed else None
        rule = Rule(joining.join, joining.quorum, joining.on_failure)
        ruling = joinrule.decide(rule, outcomes, expected)
        if ruling is not None:
            await self._decide(memory, ruling, cause)

    def abandon(self, work: Work, reason: str, cause: str) -> list[NewRecord]:
        """What is to be said when a task ends before its joins: they failed, and their branches shall stop."""
        records: list[NewRecord] = []
        for memory in list(self._fans.values()):
            joining = _joining(memory)
            if joining.parent != work.task_id or memory.source != work.memory.source or joining.decided:
                continue
            said = self._settle(memory, Ruling("failed", reason), cause)
            said += self._cancel_rest(memory, reason, said[0].event_id)
            records += [*(one.record for one in said), record_of(memory, self._instance.ledger.topic)]
        return records

    async def _decide(self, memory: Handled, ruling: Ruling, cause: str) -> None:
        said = self._settle(memory, ruling, cause)
        if ruling.verdict == "failed":
            said += self._cancel_rest(memory, ruling.reason, said[0].event_id)
        parent = self._waiting(memory)
        more = []
        if parent is not None:
            parent.memory.status, parent.memory.waits_for = "ready", ""
            parent.memory.cause = said[0].event_id
            more = [record_of(parent.memory, self._instance.ledger.topic)]
        await self._remember(memory, said, more)
        if parent is not None:
            self._wake(parent)

    def _settle(self, memory: Handled, ruling: Ruling, cause: str) -> list[Said]:
        """Fix how the join was decided; returns the fact."""
        joining, ends = _joining(memory), self._ends.get(memory.key, {})
        joining.decided, joining.reason = ruling.verdict, ruling.reason
        joining.ended = _carried(ends)
        timer = self._timers.pop(memory.key, None)
        if timer is not None:
            timer.cancel()
        causes = _fitting(_causes(ends))
        about = {} if len(causes) == len(ends) else {"extensions": {"dataref": reference(memory)}}
        data: Data = FaninSatisfied(causes=causes)
        if ruling.verdict == "failed":
            data = FaninFailed(causes=causes, reason=ruling.reason)
        elif ruling.verdict == "expired":
            missing = [Branch(index=i, task_id=one[0]) for i, one in joining.branches.items() if i not in ends]
            causes = _fitting(causes, MAX_NAMED // 2)
            data = FaninExpired(causes=causes, missing=_fitting(missing, MAX_NAMED // 2))
        return [self._say(memory, f"fanin.{ruling.verdict}", data, cause, **about)]

    def _cancel_rest(self, memory: Handled, reason: str, cause: str) -> list[Said]:
        work = self._instance.works.get(f"task|{_joining(memory).parent}")
        if work is None:
            return []
        ends = self._ends.get(memory.key, {})
        return [
            cancel_request(self._instance, work.event, task_id, group, reason, cause)
            for index, (task_id, group) in _joining(memory).branches.items()
            if index not in ends
        ]

    async def _late(self, memory: Handled, index: int, end: Ended, cause: str) -> None:
        _joining(memory).late.append(index)
        data = FaninBranchLate(index=index, task_id=end.task_id, event_id=end.event_id, outcome=end.outcome)
        await self._remember(memory, [self._say(memory, "fanin.branch.late", data, cause)], [])

    async def _close_if_over(self, memory: Handled) -> None:
        joining = _joining(memory)
        if joining.decided and joining.sealed and len(self._ends.get(memory.key, {})) >= len(joining.branches):
            memory.status = "closed"
            self.drop(memory)
            await self._remember(memory, [], [])

    def _run_out(self, memory: Handled) -> None:
        self._timers.pop(memory.key, None)
        if memory.key in self._fans and not _joining(memory).decided:
            task = asyncio.create_task(self._decide(memory, Ruling("expired", "The deadline came first."), ""))
            self._expiring.add(task)
            task.add_done_callback(self._expiring.discard)

    def _waiting(self, memory: Handled) -> Work | None:
        work = self._instance.works.get(f"task|{_joining(memory).parent}")
        if work is None or work.memory.status != "waiting" or work.memory.waits_for != memory.key:
            return None
        return work

    async def _remember(self, memory: Handled, said: list[Said], more: list[NewRecord]) -> None:
        try:
            await self._instance.remember(memory, said, more)
        except MemberFenced as error:
            # Whoever is assigned the partition now decides it again from the same facts.
            logger.info("Not said: %s", error)

    def _say(self, memory: Handled, name: str, data: Data, cause: str, **about: Any) -> Said:
        return self._instance.voice.say(
            name,
            run_id=memory.run_id,
            data=data,
            tenant=memory.tenant,
            task_id=_joining(memory).parent,
            fanout_id=memory.key,
            causation=cause,
            **about,
        )


def _joining(memory: Handled) -> Joining:
    assert memory.joining is not None
    return memory.joining


def reference(memory: Handled) -> str:
    """Where the whole list of a join's branches stands, for facts that can only name some of them."""
    return f"log:handled/{memory.partition}?fanout={memory.key}"


def _causes(ends: dict[int, Ended]) -> list[Cause]:
    """Every branch that was counted, those first that did not complete."""
    ordered = sorted(ends.items(), key=lambda item: (item[1].outcome == joinrule.SUCCESS, item[0]))
    return [
        Cause(index=index, task_id=end.task_id, event_id=end.event_id, outcome=end.outcome) for index, end in ordered
    ]


def _fitting(named: Sequence[Named], limit: int = MAX_NAMED) -> tuple[Named, ...]:
    """As many as fit into the data of one event (protocol: 48 KiB)."""
    size, fitting = 0, []
    for one in named:
        size += len(msgspec.json.encode(one)) + 1
        if size > limit:
            break
        fitting.append(one)
    return tuple(fitting)


def _carried(ends: dict[int, Ended]) -> dict[int, Ended]:
    """The ends with their outputs as long as all of them fit into one memory."""
    carried, size = {}, 0
    for index, end in sorted(ends.items()):
        size += len(msgspec.json.encode(end.output)) if end.output is not None else 0
        carried[index] = end if size <= MAX_OUTPUTS else msgspec.structs.replace(end, output=None, left_out=True)
    return carried
