"""Rules that decide by themselves: what they may match, whether they do, and what they would have done.

A rule is written by people, has versions and an end, and looks only at what was asked for and at the effective risk;
it never reads an agent's reasons. To approve is allowed for what is not of high risk and can be undone, and where one
person's word would have been enough; everything else is for people (approvals.md, rules 8 and 12).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

import msgspec

from coordination.approvals import RISKS, known_risk, needed
from coordination.events.approval import Policy

MOST_RISK: Final = "medium"
UNDOABLE: Final = ("yes", "compensable")
NUMBERS: Final[dict[str, frozenset[int]]] = {
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    ">=": frozenset({0, 1}),
}
WORDS: Final = ("=", "!=", "like")
ABSENT: Final = object()


class Condition(msgspec.Struct, frozen=True):
    """One argument: `path` (dots between names, as in total.amount), how it is compared, and with what.

    `<`, `<=`, `>`, `>=` compare decimal numbers exactly, also such as travel as text; `=` and `!=` compare text or
    numbers, `like` a pattern with * and ?. An argument that is absent never matches.
    """

    path: str
    how: Literal["<", "<=", ">", ">=", "=", "!=", "like"]
    value: str


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule matches: patterns for action, target and agent group, the most risk, what can be undone."""

    action: str
    target: str = "*"
    agent_group: str = "*"
    max_risk: str = "low"
    reversibility: tuple[str, ...] = ("yes",)
    conditions: tuple[Condition, ...] = ()
    decision: Literal["approve", "reject"] = "approve"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a rule sees it; `risk` is the effective one, `kind` action or question; `disguised`: something
    in the action is not what it looks like (`coordination.visible`)."""

    action: str
    target: str
    args: Any
    agent_group: str
    risk: str
    reversibility: str
    kind: str
    allowed: tuple[str, ...]
    policy: Policy
    disguised: bool = False


class DryRun(msgspec.Struct, frozen=True):
    """What a rule would have done: it matched `matched` of `of` requests; `by_people` counts what people decided."""

    of: int
    matched: int
    by_people: Mapping[str, int]

    @property
    def text(self) -> str:
        """The sentence that is shown before a rule is switched on."""
        said = f"would have matched {self.matched:,} of the last {self.of:,}"
        return f"{said}; people rejected {self.by_people.get('reject', 0):,} of those"


def wrong(terms: Terms) -> list[str]:
    """Why a rule with these terms may not be; empty if it may."""
    found = []
    if not terms.action.strip() or terms.action.strip() == "*":
        found.append("Name the action; a rule for everything would be no rule.")
    if terms.decision == "approve" and not set(terms.reversibility) <= set(UNDOABLE):
        found.append("What cannot be undone is approved by people alone.")
    if not terms.reversibility:
        found.append("Choose what can be undone.")
    if terms.decision == "approve" and RISKS.index(known_risk(terms.max_risk)) > RISKS.index(MOST_RISK):
        found.append("High risk is approved by people alone.")
    found += [
        f"{one.value!r} is no number." for one in terms.conditions if one.how in NUMBERS and _number(one.value) is None
    ]
    return found


def matches(terms: Terms, facts: Facts) -> bool:
    """Whether the rule decides this request."""
    return _may(terms, facts) and _fits(terms, facts) and all(_holds(one, facts.args) for one in terms.conditions)


def dry_run(terms: Terms, history: Iterable[tuple[Facts, str]]) -> DryRun:
    """Against requests that have ended: each with what a person decided, empty where none did."""
    of = matched = 0
    by_people: dict[str, int] = {}
    for facts, verdict in history:
        of += 1
        if matches(terms, facts):
            matched += 1
            if verdict:
                by_people[verdict] = by_people.get(verdict, 0) + 1
    return DryRun(of, matched, by_people)


def _may(terms: Terms, facts: Facts) -> bool:
    """What no rule may decide, whatever its terms: questions, and agreement that needs more than one person."""
    if facts.kind != "action":
        return False
    alone = needed(facts.policy) == 1 and not facts.policy.required_groups
    plain = "approve" in facts.allowed and alone and not facts.disguised
    return terms.decision == "reject" or (plain and not wrong(terms))


def _fits(terms: Terms, facts: Facts) -> bool:
    return (
        fnmatchcase(facts.action, terms.action)
        and fnmatchcase(facts.target, terms.target)
        and fnmatchcase(facts.agent_group, terms.agent_group)
        and RISKS.index(known_risk(facts.risk)) <= RISKS.index(known_risk(terms.max_risk))
        and facts.reversibility in terms.reversibility
    )


def _holds(condition: Condition, args: Any) -> bool:
    found = _at(args, condition.path)
    if condition.how in NUMBERS:
        left, right = _number(found), _number(condition.value)
        return left is not None and right is not None and (left > right) - (left < right) in NUMBERS[condition.how]
    if found is ABSENT or isinstance(found, (dict, list)) or found is None:
        return False
    if condition.how == "like":
        return isinstance(found, str) and fnmatchcase(found, condition.value)
    return _equal(found, condition.value) == (condition.how == "=")


def _equal(found: Any, value: str) -> bool:
    if isinstance(found, bool):
        return value.lower() == str(found).lower()
    if isinstance(found, str):
        return found == value
    return _number(found) is not None and _number(found) == _number(value)


def _at(args: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(args, Mapping) or name not in args:
            return ABSENT
        args = args[name]
    return args


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
