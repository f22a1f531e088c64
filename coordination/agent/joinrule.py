"""When a join is decided: a pure function of its rule and of the outcomes known so far.

Counted are distinct branch indexes, never arrivals. While a fan-out is unsealed its total is unknown: only what
no further branch could change is decided then.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

SUCCESS: Final = "completed"


class Rule(msgspec.Struct, frozen=True):
    """all, any, quorum (with `n`) or all_settled; `on_failure` is fail_fast or continue."""

    join: str = "all"
    n: int = 1
    on_failure: str = "fail_fast"


class Ruling(msgspec.Struct, frozen=True):
    """`verdict` is satisfied or failed, with a sentence."""

    verdict: str
    reason: str = ""


def decide(rule: Rule, outcomes: Mapping[int, str], expected: int | None) -> Ruling | None:
    """The ruling, or None while more branches are needed.

    `outcomes` maps the index of each branch that ended to its final state, `expected` is their number once sealed.
    """
    good = sum(outcome == SUCCESS for outcome in outcomes.values())
    bad = len(outcomes) - good
    settled = expected is not None and len(outcomes) >= expected
    if rule.join == "all_settled":
        return Ruling("satisfied") if settled else None
    if rule.join == "all":
        return _all(rule, bad, settled)
    needed = 1 if rule.join == "any" else rule.n
    if good >= needed:
        return Ruling("satisfied")
    if expected is None:
        return None
    if expected - bad >= needed and not settled:
        return None
    if rule.on_failure == "continue" and not settled:
        return None
    return Ruling("failed", f"{bad} of {expected} branches did not complete; {needed} were needed.")


def _all(rule: Rule, bad: int, settled: bool) -> Ruling | None:
    if bad and (settled or rule.on_failure == "fail_fast"):
        return Ruling("failed", f"{bad} branch{'' if bad == 1 else 'es'} did not complete; all were needed.")
    return Ruling("satisfied") if settled else None
