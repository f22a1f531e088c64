"""The steps of a handler, recorded so that it can be run again from its top and find what it did before.

A handler ends where it waits (for a person, a sub-task, a join) and is run again when the answer is there, perhaps
on another instance, perhaps days later. Its steps then return what was recorded instead of happening twice. What
is recorded how long:

- what changed something (a sub-task asked for, an approval, a tool call with effects, `once`) lasts as long as the
  task: no later attempt does it again;
- what only looked (a tool call without effects, a model call) holds for the attempt it belongs to: a new attempt
  looks anew, because a wrong answer may be the very reason why the former one failed.

A step is recognised by its kind, its name and how many of that name came before it. So the code between steps must
take the same steps when it is run again: it may depend on the input and on what steps returned, not on the clock,
on chance or on the network. A step that is asked for something else than what was recorded is a StepMismatch.
"""

from collections import Counter
from typing import Any, Final

import msgspec

from coordination.agent.errors import StepMismatch, StepTooLarge
from coordination.agent.handled import MAX_BYTES, Handled, Step
from coordination.canonical import NotCanonical, digest

MAX_STEP_BYTES: Final = 64 * 1024


class Parked(BaseException):
    """Ends a handler at a wait. Not an Exception, so that `except Exception` in a handler lets it pass."""


class Journal:
    """The recorded steps of one piece of work, as one execution of its handler meets them."""

    def __init__(self, memory: Handled) -> None:
        self._memory = memory
        self._met: Counter[str] = Counter()

    def key(self, kind: str, name: str) -> str:
        """The key of the next step of this kind and name."""
        stem = f"{kind}:{name}"
        number = self._met[stem]
        self._met[stem] += 1
        return f"{stem}#{number}" if number else stem

    def find(self, key: str, made_of: str = "") -> Step | None:
        """The recorded step if it counts in this attempt. Raises StepMismatch when it was made of something else."""
        step = self._memory.journal.get(key)
        if step is None or (not step.lasting and step.attempt != self._memory.attempt):
            return None
        if step.made_of != made_of:
            raise StepMismatch(
                f"The step {key!r} was recorded with other arguments than the handler asks for now: "
                "its code has changed, or it depends on something that is not recorded."
            )
        return step

    def record(self, key: str, value: Any, *, made_of: str = "", lasting: bool = False, done: bool = True) -> Step:
        """Record a step. Raises StepTooLarge."""
        size = len(msgspec.json.encode(value))
        if size > MAX_STEP_BYTES:
            raise StepTooLarge(f"The step {key!r} returned {size} bytes; return a reference to large results instead.")
        step = Step(attempt=self._memory.attempt, lasting=lasting, done=done, made_of=made_of, value=value)
        self._memory.journal[key] = step
        if len(msgspec.json.encode(self._memory)) > MAX_BYTES:
            del self._memory.journal[key]
            raise StepTooLarge(f"All steps up to {key!r} together are too large to be remembered.")
        return step


def made_of(*parts: Any) -> str:
    """A digest of what a step was asked. Arguments without a canonical form are compared by their text."""
    try:
        return digest(parts)[:16]
    except NotCanonical:
        return digest([repr(part) for part in parts])[:16]
