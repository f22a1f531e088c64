"""What tool and model calls do to a task's row: they are counted, with their tokens and their cost.

A call counts when it ends, and once: the row keeps a digest of each counted event, so a duplicate on another
partition adds nothing. Up to `COUNTED_ONCE` calls a task; beyond that every delivery counts.
The calls themselves are not rows: pages read them from the stored events.
"""

from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

from coordination.event import Event
from coordination.tasks import Task

COUNTED_ONCE: Final = 4096
# What one task can have used: a million million tokens, a thousand million of the currency unit. Whoever claims more
# must not make the sums of a run too large for the tables, for then nothing of the run could be written any more.
# Sums that stop at a bound do not depend on the order.
MOST_TOKENS: Final = 10**12
MOST_COST: Final = 10**15

Step = Callable[[Task, Event], None]


def tool_ended(task: Task, event: Event) -> None:
    """tool.call.completed: one call, with what it used."""
    task.tool_calls += 1
    _priced(task, event.data)


def tool_failed(task: Task, event: Event) -> None:
    """tool.call.failed: one call and one failure, with what it used."""
    task.tool_calls += 1
    task.tool_failures += 1
    _priced(task, event.data)


def tool_stopped(task: Task, event: Event) -> None:
    """tool.call.canceled, .expired and .blocked: one call without a result."""
    task.tool_calls += 1
    task.tool_failures += 1


def model_ended(task: Task, event: Event) -> None:
    """model.call.completed: one model call, with what it used."""
    task.model_calls += 1
    _priced(task, event.data)


def _priced(task: Task, data: Any) -> None:
    task.tokens_in = min(task.tokens_in + data.tokens_in, MOST_TOKENS)
    task.tokens_out = min(task.tokens_out + data.tokens_out, MOST_TOKENS)
    if data.cost != "0":
        # Decimal is four times slower than this, and rounding is needed only past the sixth decimal.
        whole, _, fraction = data.cost.partition(".")
        exact = len(fraction) <= 6
        cost = int(whole + fraction.ljust(6, "0")) if exact else data.cost_micros()
        task.cost = min(task.cost + cost, MOST_COST)


def used(data: Any) -> tuple[int, int, int]:
    """Tokens in, tokens out and cost of one call outside any task, within the same bounds."""
    return min(data.tokens_in, MOST_TOKENS), min(data.tokens_out, MOST_TOKENS), min(data.cost_micros(), MOST_COST)


CALLS: Final[dict[str, Step]] = {
    "tool.call.completed": tool_ended,
    "tool.call.failed": tool_failed,
    "tool.call.canceled": tool_stopped,
    "tool.call.expired": tool_stopped,
    "tool.call.blocked": tool_stopped,
    "model.call.completed": model_ended,
}


def count(task: Task, event: Event) -> None:
    """Count the ended call the event tells of, unless it was counted before."""
    called = task.called
    if called is None:
        called = task.called = set()
    one = digest(event.source, event.id)
    if one in called:
        task.repeated_calls += 1
        return
    if len(called) < COUNTED_ONCE:
        called.add(one)
    CALLS[event.name](task, event)


def digest(source: str, event_id: str) -> int:
    """64 bits that stand for (source, id): two CRCs, one of them backwards. Two of 1,000 calls share them once
    in 10^13 tasks; a cryptographic hash would take twice as long and guard nothing here.
    """
    name = f"{source}\x1f{event_id}".encode()
    return crc32(name) << 32 | crc32(name[::-1])
