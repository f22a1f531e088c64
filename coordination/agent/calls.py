"""Tool and model calls of a handler, as facts on the log.

Arguments and results stay off the log: a digest of the arguments is written, and the result only where the author
says so. A call with effects is announced before it is made and carries the same idempotency key in every attempt,
so that whoever executes it can tell a repetition from a second order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from coordination.agent.errors import failure
from coordination.agent.instance import Instance
from coordination.agent.journal import Journal, made_of
from coordination.agent.keys import idempotency_key, step_id
from coordination.agent.voice import Said
from coordination.agent.work import Work
from coordination.canonical import NotCanonical, digest
from coordination.events import call as shapes
from coordination.events.shapes import Data


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool is called with. `idempotency_key` is the same in every attempt; hand it on with effects."""

    name: str
    args: dict[str, Any]
    idempotency_key: str


class ModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """A model's answer with what it used; `cost` is decimal text."""

    content: Any
    tokens_in: int = 0
    tokens_out: int = 0
    cost: str = "0"
    currency: str = "USD"
    finish_reason: str = ""


Tool = Callable[[ToolCall], Awaitable[Any]]


class Calls:
    """Makes the calls of one execution of a handler."""

    def __init__(self, instance: Instance, work: Work, journal: Journal) -> None:
        self._instance = instance
        self._work = work
        self._journal = journal

    async def tool(
        self, name: str, args: Mapping[str, Any], call: Tool, *, effects: bool, tool_type: str, show_result: bool
    ) -> Any:
        """Call a tool, or return what it returned before."""
        key = self._journal.key("tool", name)
        asked = made_of(name, dict(args))
        step = self._journal.find(key, asked)
        if step is not None:
            return step.value
        request = ToolCall(name=name, args=dict(args), idempotency_key=idempotency_key(self._work.task_id, key))
        call_id = self._call_id(key)
        await self._started(request, call_id, effects, tool_type)
        began = self._instance.clock()
        try:
            result = msgspec.to_builtins(await call(request))
        except BaseException as error:
            self._ended_badly(request, call_id, error, began)
            raise
        self._journal.record(key, result, made_of=asked, lasting=effects)
        completed = shapes.ToolCallCompleted(
            tool_call_id=call_id,
            tool_name=name,
            duration_ms=self._since(began),
            result=result if show_result else None,
        )
        await self._tell(self._say("tool.call.completed", completed), effects)
        return result

    async def model(
        self, model: str, call: Callable[[], Awaitable[ModelReply]], *, prompt_version: str, provider: str
    ) -> Any:
        """Call a model, or return what it answered before in this attempt."""
        key = self._journal.key("model", model)
        step = self._journal.find(key)
        if step is not None:
            return step.value
        about: dict[str, Any] = {"model": model, "provider": provider, "prompt_version": prompt_version}
        about["model_call_id"] = self._call_id(key)
        began = self._instance.clock()
        try:
            reply = await call()
        except Exception as error:
            failed = shapes.ModelCallCompleted(**about, duration_ms=self._since(began), error=failure(error))
            await self._tell(self._say("model.call.completed", failed), durable=False)
            raise
        content = msgspec.to_builtins(reply.content)
        self._journal.record(key, content)
        completed = shapes.ModelCallCompleted(
            **about,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            cost=reply.cost,
            currency=reply.currency,
            finish_reason=reply.finish_reason,
            duration_ms=self._since(began),
        )
        await self._tell(self._say("model.call.completed", completed), durable=False)
        return content

    async def _started(self, request: ToolCall, call_id: str, effects: bool, tool_type: str) -> None:
        data = shapes.ToolCallStarted(
            tool_call_id=call_id,
            tool_name=request.name,
            tool_type=tool_type,
            arguments_sha256=_digest(request.args),
        )
        said = self._say("tool.call.started", data, request.idempotency_key if effects else "")
        if effects:
            # Before the world changes, the log says that it is about to.
            await self._instance.write(self._work.memory.source, [said.record])
        else:
            self._instance.mention(self._work.memory.source, [said.record])

    def _ended_badly(self, request: ToolCall, call_id: str, error: BaseException, began: int) -> None:
        if isinstance(error, asyncio.CancelledError):
            reason = self._work.stop_reason or "the attempt was ended"
            stopped = shapes.ToolCallStopped(tool_call_id=call_id, tool_name=request.name, reason=reason)
            said = self._say("tool.call.canceled", stopped)
        else:
            failed = shapes.ToolCallFailed(
                tool_call_id=call_id,
                tool_name=request.name,
                error=failure(error),
                duration_ms=self._since(began),
            )
            said = self._say("tool.call.failed", failed)
        self._instance.mention(self._work.memory.source, [said.record])

    async def _tell(self, said: Said, durable: bool) -> None:
        if durable:
            await self._instance.remember(self._work.memory, [said])
        else:
            self._instance.mention(self._work.memory.source, [said.record])

    def _say(self, name: str, data: Data, idempotency_key: str = "") -> Said:
        memory = self._work.memory
        return self._instance.say(
            self._work.event,
            name,
            data,
            attempt=memory.attempt,
            causation=self._work.cause,
            idempotency_key=idempotency_key,
        )

    def _call_id(self, key: str) -> str:
        memory = self._work.memory
        return step_id(self._work.task_id, f"{memory.kind}/{key}/{memory.attempt}")

    def _since(self, began: int) -> int:
        return max(0, self._instance.clock() - began) // 1_000


def _digest(args: Mapping[str, Any]) -> str | None:
    try:
        return digest(args)
    except NotCanonical:
        return None
