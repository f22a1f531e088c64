"""What the sample agents share: chance that is the same for the same seed, work that takes time, tools that fail.

Chance is drawn from the seed and the task's input alone, never from the order in which things happen, so that the
same seed gives the same texts, durations and failures whatever the machine does.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from coordination.agent import ModelReply, TaskContext, ToolCall
from coordination.manifest import Manifest
from coordination.signing import Keyring


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sample agents play. `rate` 2 makes everything twice as fast."""

    seed: int = 7
    rate: float = 1.0
    manifest: Manifest = msgspec.field(default_factory=Manifest)
    keyring: Keyring = msgspec.field(default_factory=Keyring)

    def chance(self, *parts: object) -> random.Random:
        """A generator for one thing: the same for the same seed and parts."""
        return random.Random("|".join(str(part) for part in (self.seed, *parts)))  # made-up data  # nosec B311

    async def work(self, seconds: float) -> None:
        """Take this long, in the demo's time."""
        await asyncio.sleep(seconds / self.rate)

    def limits(self, **given: Any) -> dict[str, Any]:
        """Keyword arguments that every sample agent is made with; for ever is too long for a demo to remember."""
        return {"manifest": self.manifest, "keyring": self.keyring, "deployment": "demo", "remember": 3_600.0, **given}


class ToolDown(Exception):
    """A tool that did not answer as it should; another try may help."""


def tool(
    stage: Stage, seconds: float, result: Any, error: Exception | None = None
) -> Callable[[ToolCall], Awaitable[Any]]:
    """A tool that takes `seconds` and returns `result`, or raises `error`."""

    async def call(request: ToolCall) -> Any:
        await stage.work(seconds)
        if error is not None:
            raise error
        return result

    return call


async def ask_model(
    stage: Stage,
    task: TaskContext,
    content: Any,
    *,
    seconds: float,
    words: int,
    prompt: str,
    model: str = "atlas-large-3",
) -> Any:
    """Call a model that thinks for `seconds` and uses about `words` words; cost and tokens follow from that."""
    chance = stage.chance("model", task.task_id, prompt)
    tokens_in, tokens_out = words * 3 + chance.randrange(400), words + chance.randrange(120)

    async def call() -> ModelReply:
        await stage.work(seconds)
        cost = f"{(tokens_in * 3 + tokens_out * 15) / 1_000_000:.6f}"
        return ModelReply(content=content, tokens_in=tokens_in, tokens_out=tokens_out, cost=cost, finish_reason="stop")

    return await task.model(model, call, prompt_version=prompt, provider="atlas")


def field(task: TaskContext, name: str, default: Any = "") -> Any:
    """A field of the task's input."""
    given = task.input
    return given.get(name, default) if isinstance(given, Mapping) else default
