"""What a handler of tasks works with."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec

from coordination.agent.asking import Asking, ask_of
from coordination.agent.calls import Calls, ModelReply, Tool
from coordination.agent.fanout import FanOut
from coordination.agent.gate import Decision
from coordination.agent.handled import Ended
from coordination.agent.instance import Instance
from coordination.agent.joinkeeper import JoinKeeper
from coordination.agent.joinrule import Rule
from coordination.agent.journal import Journal, made_of
from coordination.agent.keys import child_id
from coordination.agent.subtasks import Request, Result, Subtasks, result_of
from coordination.agent.waits import Park
from coordination.agent.work import Work
from coordination.event import Event
from coordination.events.approval import Action
from coordination.events.task import TaskArtifactProduced, TaskProgressed


class TaskContext:
    """One execution of a handler for one task.

    The handler may be run again from its top after a wait; steps that were taken before return what they returned
    then (see `journal`). So what it does between steps must depend on nothing but the input and earlier steps.
    Wait for one thing at a time: several at once are what `fan_out` is for.
    """

    def __init__(self, instance: Instance, work: Work, keeper: JoinKeeper) -> None:
        self._instance, self._work, self._keeper = instance, work, keeper
        self._journal = Journal(work.memory)
        self._subtasks = Subtasks(instance, work)
        self._calls = Calls(instance, work, self._journal)
        self.park = Park()
        self._asking = Asking(instance, work, self._journal, self.park)

    @property
    def event(self) -> Event:
        """The command as it was read."""
        return self._work.event

    @property
    def input(self) -> Any:
        """The task's input."""
        return self._work.event.data.input

    @property
    def task_id(self) -> str:
        """The task."""
        return self._work.task_id

    @property
    def run_id(self) -> str:
        """The run it belongs to."""
        return self._work.event.run_id

    @property
    def title(self) -> str:
        """Its title."""
        return str(self._work.event.data.title)

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self._work.memory.attempt

    @property
    def output(self) -> Any:
        """In a compensation: what the task to be undone had returned."""
        return self._work.memory.output

    async def tool(
        self,
        name: str,
        args: Mapping[str, Any],
        call: Tool,
        *,
        effects: bool = False,
        tool_type: str = "",
        show_result: bool = False,
    ) -> Any:
        """Call a tool: `await call(ToolCall)` and return its JSON result.

        With `effects` the call is announced first and not repeated once it has returned, in any attempt; a crash in
        between repeats it under the same `idempotency_key`. `show_result` puts the result on the log.
        """
        return await self._calls.tool(name, args, call, effects=effects, tool_type=tool_type, show_result=show_result)

    async def model(
        self,
        model: str,
        call: Callable[[], Awaitable[ModelReply]],
        *,
        prompt_version: str = "",
        provider: str = "",
    ) -> Any:
        """Call a model and return the content of its reply; tokens and cost become a fact."""
        return await self._calls.model(model, call, prompt_version=prompt_version, provider=provider)

    async def once(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Do something that must come out the same when the handler is run again, in every attempt."""
        key = self._journal.key("once", name)
        step = self._journal.find(key)
        if step is None:
            step = self._journal.record(key, msgspec.to_builtins(await call()), lasting=True)
            await self._instance.remember(self._work.memory)
        return step.value

    async def progress(self, share: float | None = None, step: str = "", message: str = "") -> None:
        """Tell how far it is: `share` from 0 to 1."""
        self._mention("task.progressed", TaskProgressed(progress=share, step=step, message=message))

    async def artifact(
        self, name: str, ref: str, *, media_type: str = "", size: int | None = None, digest: str | None = None
    ) -> None:
        """Tell that something was made; `ref` is where it lies, `digest` its SHA-256 in hex."""
        data = TaskArtifactProduced(name=name, artifact_ref=ref, media_type=media_type, size=size, digest=digest)
        self._mention("task.artifact.produced", data)

    async def request(
        self,
        task_type: str,
        group: str,
        *,
        title: str = "",
        input: Any = None,  # noqa: A002 - the protocol's own word
        depends_on: tuple[str, ...] = (),
        expires_in: float | None = None,
    ) -> Result:
        """Ask a group for a sub-task and wait until it has ended. `.required()` gives its output or raises."""
        key = self._journal.key("task", task_type)
        asked = made_of(task_type, group, input)
        request = Request(
            task_type=task_type,
            group=group,
            title=title,
            input=input,
            depends_on=depends_on,
            expires_in=expires_in,
        )
        task_id = child_id(self.task_id, key, task_type)
        step = self._journal.find(key, asked)
        if step is None:
            since = await self._instance.since()
            said = self._subtasks.command(request, task_id, key)
            self._journal.record(key, {"task_id": task_id, "group": group}, made_of=asked, lasting=True, done=False)
            raise self.park.for_task(task_id, since, [said])
        if not step.done:
            raise self.park.for_task(task_id, self._work.memory.since)
        self._subtasks.stamp(request, task_id)
        return result_of(msgspec.convert(step.value["ended"], Ended))

    def fan_out(
        self,
        name: str,
        *,
        join: Literal["all", "any", "quorum", "all_settled"] = "all",
        quorum: int = 1,
        on_failure: Literal["fail_fast", "continue"] = "fail_fast",
        deadline_in: float | None = None,
        title: str = "",
    ) -> FanOut:
        """Begin a fan-out: add branches, then await its `join`. `deadline_in` seconds."""
        rule = Rule(join, quorum, on_failure)
        return FanOut(
            self._instance,
            self._work,
            self._journal,
            self._subtasks,
            self._keeper,
            self.park,
            name=name,
            rule=rule,
            deadline_in=deadline_in,
            title=title,
        )

    async def approve(
        self, action: str, args: Any, *, target: str = "", args_schema: Any = None, **ask: Any
    ) -> Decision:
        """Ask a person whether `action` may be executed with `args`, and wait for the decision.

        Keyword arguments are those of `asking.Ask`. Execute what the decision's `args` say, they may have been
        edited, and only if it is `granted`.
        """
        asked = Action(name=action, target=target, args=args, args_schema=args_schema)
        return self._asking.approval(asked, ask_of(**ask))

    async def pause(self, reason: Literal["question", "credentials"], question: str = "") -> Decision:
        """Wait until somebody says to go on; `response` of the decision is what they answered."""
        return self._asking.answer(reason, question)

    def _mention(self, name: str, data: Any) -> None:
        said = self._instance.say(self._work.event, name, data, attempt=self.attempt, causation=self._work.cause)
        self._instance.mention(self._work.memory.source, [said.record])
