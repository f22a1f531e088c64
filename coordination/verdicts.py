"""What a join comes to: the verdict of its rule on how many branches there are, arrived and completed.

It needs numbers only, so that a join of 100,000 branches is judged as one of ten is. A verdict of the runtime
(fanin.*) stands above our own.
"""

import msgspec

from coordination.fanouts import FanOut
from coordination.tasks import FAILING, Task

__all__ = ["Standing", "needed", "rule_text", "verdict"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A join in numbers. `expected` is None while unsealed; then at least `known` branches there are.

    `bad` ended without completing, `first_bad` is the first of them, `dead` whether it is dead-lettered.
    """

    expected: int | None
    known: int
    arrived: int
    completed: int
    bad: int = 0
    first_bad: Task | None = None
    dead: bool = False

    @property
    def total(self) -> int:
        """As many branches as there are at least."""
        return max(self.known, self.expected or 0)


def rule_text(fan_out: FanOut) -> str:
    """The rule as protocol writes it: all, any, quorum(2), all_settled; unknown if the opening was not read."""
    if fan_out.opened_mark is None:
        return "unknown"
    return f"quorum({fan_out.quorum})" if fan_out.join == "quorum" else fan_out.join


def needed(fan_out: FanOut, expected: int | None) -> int | None:
    """How many branches must complete, None if that is not known yet (or, for all_settled, not asked)."""
    if fan_out.opened_mark is None or fan_out.join == "all_settled":
        return None
    if fan_out.join == "all":
        return expected
    return fan_out.quorum if fan_out.join == "quorum" else 1


def verdict(fan_out: FanOut, stands: Standing) -> tuple[str, str]:
    """The verdict and why: satisfied, failed, expired, met, can complete, cannot complete or unknown."""
    if fan_out.verdict:
        return fan_out.verdict, fan_out.verdict_reason or f"the runtime said so: {fan_out.verdict}"
    if fan_out.opened_mark is None:
        return "unknown", "the rule of this join was not read"
    if fan_out.join == "all_settled":
        return _settled(stands)
    return _by_completion(fan_out, stands)


def _settled(stands: Standing) -> tuple[str, str]:
    if stands.expected is None:
        return "unknown", f"{stands.arrived} of ≥ {stands.known} branches ended; more may come"
    if stands.arrived >= stands.expected:
        return "met", f"all {stands.expected} branches ended"
    return "can complete", f"waits for {stands.expected - stands.arrived} of {stands.expected} branches to end"


def _by_completion(fan_out: FanOut, stands: Standing) -> tuple[str, str]:
    expected, completed = stands.expected, stands.completed
    need = needed(fan_out, expected)
    if need is not None and completed >= need:
        return "met", f"{completed} of {need} needed branches completed"
    if fan_out.join == "all" and stands.bad:
        return "cannot complete", f"{_blame(stands)}; all branches are needed"
    if expected is None:
        return "unknown", f"{completed} of ≥ {stands.known} branches completed; more may come"
    if need is not None and stands.total - stands.bad < need:
        return "cannot complete", f"{_blame(stands)}; {need} of {expected} branches are needed"
    missing = (need or expected) - completed
    return "can complete", f"waits for {missing} more of {expected} branches to complete"


def _blame(stands: Standing) -> str:
    task = stands.first_bad
    if task is None:
        return f"{stands.bad} inputs ended without completing"
    what = "dead-lettered" if stands.dead or task.dead_lettered else task.state
    name = f"/{task.fanout_index}" if task.fanout_index is not None else task.task_id
    error = f" ({task.error.type or task.error.message})" if task.error and task.state in FAILING else ""
    return f"input {name} is {what}{error}"
