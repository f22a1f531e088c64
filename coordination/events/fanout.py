"""Data of fan-out and join facts."""

from typing import Annotated, Final, Literal

import msgspec

from coordination.events.shapes import Count, Data, Failure, Ordinal
from coordination.instants import Instant

JOIN_RULES: Final = ("all", "any", "quorum", "all_settled")

JoinRule = Annotated[
    str,
    msgspec.Meta(
        pattern="^(all|any|all_settled|quorum|quorum[(][1-9][0-9]{0,8}[)])$",
        description="all | any | quorum(n) | all_settled; `quorum` alone takes n from the field quorum",
    ),
]


class Branch(Data, frozen=True, gc=False, kw_only=True):
    """A branch known so far."""

    index: Count
    task_id: str = ""


class Cause(Data, frozen=True, gc=False, kw_only=True):
    """One branch that a join counted: its task, its terminal event and the outcome (the task's state)."""

    index: Count
    task_id: str = ""
    event_id: str = ""
    outcome: str = ""


class FanoutOpened(Data, frozen=True, gc=False, kw_only=True):
    """Fixes the rule of the join; `branches` are those known so far."""

    join: JoinRule = "all"
    quorum: Ordinal | None = None
    on_failure: Literal["fail_fast", "continue"] = "fail_fast"
    deadline: Instant | None = None
    branches: tuple[Branch, ...] = ()
    title: str = ""

    def rule(self) -> tuple[str, int | None]:
        """The rule as (word of JOIN_RULES, n of the quorum or None)."""
        word, _, rest = self.join.partition("(")
        if word != "quorum":
            return word, None
        return word, int(rest[:-1]) if rest else self.quorum or 1


class FanoutSealed(Data, frozen=True, gc=False, kw_only=True):
    """No more branches: `count` is their number; without it `fanoutcount` of the envelope holds."""

    count: Count | None = None


class FaninSatisfied(Data, frozen=True, gc=False, kw_only=True):
    """The rule is met; `causes` lists every branch that was counted."""

    causes: tuple[Cause, ...] = ()


class FaninFailed(Data, frozen=True, gc=False, kw_only=True):
    """The rule cannot be met any more."""

    causes: tuple[Cause, ...] = ()
    reason: str = ""
    error: Failure | None = None


class FaninExpired(Data, frozen=True, gc=False, kw_only=True):
    """The deadline came first; `missing` are the branches that had not ended."""

    causes: tuple[Cause, ...] = ()
    missing: tuple[Branch, ...] = ()


class FaninBranchLate(Data, frozen=True, gc=False, kw_only=True):
    """A branch ended after the join had been decided."""

    index: Count
    task_id: str = ""
    event_id: str = ""
    outcome: str = ""
