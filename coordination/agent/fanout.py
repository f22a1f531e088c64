"""Fan-outs as the author of a handler sees them: add branches, then wait for the join.

A fan-out has a memory of its own beside the task's (`handled.Joining`), because branches may end after the join was
decided, and even after the task has ended. Who watches it is in `joinkeeper`.
"""

from typing import Any, Final

from coordination.agent.errors import Fatal, JoinFailed
from coordination.agent.handled import Handled, Joining, record_of
from coordination.agent.instance import Instance
from coordination.agent.joinkeeper import JoinKeeper
from coordination.agent.joinrule import Rule
from coordination.agent.journal import Journal, made_of
from coordination.agent.keys import child_id, step_id
from coordination.agent.subtasks import Request, Result, Subtasks, result_of
from coordination.agent.voice import Said
from coordination.agent.waits import Park
from coordination.agent.work import Work
from coordination.events.fanout import Branch, FanoutOpened, FanoutSealed
from coordination.instants import MICROSECONDS, moment

MAX_BRANCHES: Final = 2_000
"""More branches than this do not fit into one memory; nest fan-outs instead."""
NAMED_BRANCHES: Final = 200
CHUNK: Final = 400


class FanOut:
    """One fan-out of a handler. Made by `TaskContext.fan_out`."""

    def __init__(
        self,
        instance: Instance,
        work: Work,
        journal: Journal,
        subtasks: Subtasks,
        keeper: JoinKeeper,
        park: Park,
        *,
        name: str,
        rule: Rule,
        deadline_in: float | None,
        title: str,
    ) -> None:
        self._instance, self._work, self._journal = instance, work, journal
        self._subtasks, self._keeper, self._park = subtasks, keeper, park
        self._step = journal.key("fanout", name)
        self._rule, self._deadline_in, self._title = rule, deadline_in, title or name
        self._added: list[tuple[str, Request]] = []
        self.fanout_id = step_id(work.task_id, self._step)
        journal.find(self._step, self._made_of())

    def branch(
        self,
        task_type: str,
        group: str,
        *,
        title: str = "",
        input: Any = None,  # noqa: A002 - the protocol's own word
        depends_on: tuple[str, ...] = (),
        expires_in: float | None = None,
    ) -> str:
        """Add a branch; it is asked for by `request` or `join`. Returns its task id."""
        request = Request(
            task_type=task_type,
            group=group,
            title=title,
            input=input,
            depends_on=depends_on,
            expires_in=expires_in,
        )
        if len(self._added) >= MAX_BRANCHES:
            raise Fatal(f"A fan-out has at most {MAX_BRANCHES} branches; nest fan-outs for more.")
        task_id = child_id(self._work.task_id, self._step, task_type, len(self._added))
        self._added.append((task_id, request))
        # On a second execution the branch is not asked for again, but what depends on it needs its fold key.
        self._subtasks.stamp(request, task_id)
        return task_id

    async def request(self) -> None:
        """Ask for the branches added so far. The total stays open until `join`."""
        await self._request(seal=False)

    async def join(self, *, must_succeed: bool = True) -> list[Result]:
        """Ask for what was added, fix the total, and wait until the rule is decided.

        Returns the results of the branches the join counted, by index. Raises JoinFailed when the rule could not
        be met, unless `must_succeed` is false; `verdict` then says how it was decided.
        """
        memory = await self._request(seal=True)
        joining = memory.joining
        assert joining is not None
        if not joining.decided:
            raise self._park.for_task(self.fanout_id, joining.since)
        if must_succeed and joining.decided != "satisfied":
            raise JoinFailed(f"{self._title}: {joining.reason or joining.decided}")
        return [result_of(ended, index) for index, ended in sorted(joining.ended.items())]

    @property
    def verdict(self) -> str:
        """satisfied, failed or expired; empty while undecided."""
        memory = self._memory()
        return memory.joining.decided if memory is not None and memory.joining is not None else ""

    async def _request(self, *, seal: bool) -> Handled:
        memory = self._memory() or await self._new()
        joining = memory.joining
        assert joining is not None
        if joining.sealed:
            return memory
        last = False
        while not last:
            first = len(joining.branches)
            chunk = self._added[first : first + CHUNK]
            last = first + len(chunk) >= len(self._added)
            said = [] if joining.opened else [self._opened(joining)]
            said += [self._branch(index, *one, seal) for index, one in enumerate(chunk, first)]
            if seal and last:
                said.append(self._fact("fanout.sealed", FanoutSealed(count=first + len(chunk))))
            joining.opened, joining.sealed = True, seal and last
            joining.branches |= {index: (one[0], one[1].group) for index, one in enumerate(chunk, first)}
            await self._keep(memory, said)
        await self._keeper.check(memory)
        return memory

    async def _new(self) -> Handled:
        work = self._work
        deadline = None
        if self._deadline_in is not None:
            deadline = self._instance.clock() + int(self._deadline_in * MICROSECONDS)
        memory = Handled(
            group=self._instance.group,
            kind="fanout",
            key=self.fanout_id,
            status="waiting",
            topic=work.memory.topic,
            partition=work.memory.partition,
            offset=work.memory.offset,
            updated_at=self._instance.clock(),
            run_id=work.event.run_id,
            tenant=work.event.tenant,
            joining=Joining(
                parent=work.task_id,
                join=self._rule.join,
                quorum=self._rule.n,
                on_failure=self._rule.on_failure,
                deadline=deadline,
                since=await self._instance.since(),
            ),
        )
        self._journal.record(self._step, {"fanout_id": self.fanout_id}, made_of=self._made_of(), lasting=True)
        return memory

    async def _keep(self, memory: Handled, said: list[Said]) -> None:
        # The watch begins before the command is out, so that no end can be missed.
        self._keeper.follow(memory)
        await self._instance.remember(memory, said, [record_of(self._work.memory, self._instance.ledger.topic)])

    def _branch(self, index: int, task_id: str, request: Request, seal: bool) -> Said:
        count = len(self._added) if seal else None
        return self._subtasks.command(
            request, task_id, self._step, fanout_id=self.fanout_id, fanout_index=index, fanout_count=count
        )

    def _opened(self, joining: Joining) -> Said:
        quorum = self._rule.join == "quorum"
        named = self._added if len(self._added) <= NAMED_BRANCHES else []
        data = FanoutOpened(
            join=f"quorum({self._rule.n})" if quorum else self._rule.join,
            quorum=self._rule.n if quorum else None,
            on_failure="continue" if self._rule.on_failure == "continue" else "fail_fast",
            deadline=None if joining.deadline is None else moment(joining.deadline),
            branches=tuple(Branch(index=index, task_id=task_id) for index, (task_id, _) in enumerate(named)),
            title=self._title,
        )
        return self._fact("fanout.opened", data)

    def _fact(self, name: str, data: Any) -> Said:
        return self._instance.say(
            self._work.event,
            name,
            data,
            fanout_id=self.fanout_id,
            fanout_index=None,
            causation=self._work.cause,
        )

    def _memory(self) -> Handled | None:
        return self._instance.ledger.shelf(self._work.memory.partition).get("fanout", self.fanout_id)

    def _made_of(self) -> str:
        return made_of(self._rule.join, self._rule.n, self._rule.on_failure)
