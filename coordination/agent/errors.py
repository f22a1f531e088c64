"""What a handler may raise to say how its task ends, and what the runtime raises at an author's mistake."""

import traceback
from typing import Final

from coordination.errors import CoordinationError
from coordination.events.shapes import Failure

MAX_MESSAGE: Final = 2_000
MAX_STACK: Final = 12_000


class Fatal(CoordinationError):
    """Trying again cannot help: the task fails now. Subclass it, or raise it with a sentence for people."""

    code = "fatal"


class Rejected(CoordinationError):
    """The agent group will not do this task; it ends as rejected, not as failed."""

    code = "rejected"


class SubtaskFailed(Fatal):
    """A task this one asked for did not complete. It had its own retries, so this one gets none."""

    code = "subtask_failed"


class JoinFailed(Fatal):
    """A fan-out whose rule could not be met, or not in time."""

    code = "join_failed"


class StepTooLarge(Fatal):
    """A step returned more than the log should carry; return a reference instead."""

    code = "step_too_large"


class StepMismatch(Fatal):
    """The handler took other steps when it was run again: its code changed, or depends on something unrecorded."""

    code = "step_mismatch"


class WorkerLost(CoordinationError):
    """The instance that worked on the task fell silent or lost the partition."""

    code = "worker_lost"
    retryable = True


class Released(CoordinationError):
    """The instance was stopped and gave the task back."""

    code = "released"
    retryable = True


class AttemptTimeout(CoordinationError):
    """The handler took longer than the time its author allowed for one attempt."""

    code = "attempt_timeout"
    retryable = True


def failure(error: BaseException) -> Failure:
    """The error as event data: type, message with its last line first, stack trimmed in the middle."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    message = "\n".join([lines[-1], *lines[:-1]])
    return Failure(type=_name(error), message=_within(message, MAX_MESSAGE), stack=_within(_stack(error), MAX_STACK))


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _stack(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _within(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2 - 20
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
