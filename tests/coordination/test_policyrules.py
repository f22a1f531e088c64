"""Rules that decide by themselves: what they may match, and that they never match more."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.events.approval import Policy
from coordination.policyrules import Condition, Facts, Terms, dry_run, matches, wrong

FACTS = Facts(
    action="refund",
    target="Adyen live",
    args={"total": {"amount": "18.50", "currency": "EUR"}, "notify": True, "count": 3},
    agent_group="payer",
    risk="low",
    reversibility="yes",
    kind="action",
    allowed=("approve", "reject"),
    policy=Policy(),
)
TERMS = Terms(action="refund")


def facts(**changes: Any) -> Facts:
    return msgspec.structs.replace(FACTS, **changes)


def terms(*conditions: tuple[str, str, str], **changes: Any) -> Terms:
    made = tuple(
        msgspec.convert(dict(zip(("path", "how", "value"), one, strict=True)), Condition) for one in conditions
    )
    return msgspec.structs.replace(TERMS, conditions=made, **changes)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (("total.amount", "<=", "18.50"), True),
        (("total.amount", "<", "18.5"), False),
        (("total.amount", ">=", "18.5000"), True),
        (("total.amount", "<=", "9"), False),  # not as text, where "18.50" < "9"
        (("total.currency", "=", "EUR"), True),
        (("total.currency", "!=", "EUR"), False),
        (("total.currency", "like", "E*"), True),
        (("count", "=", "3.0"), True),
        (("notify", "=", "true"), True),
        (("notify", "<=", "1"), False),
        (("total", "!=", "x"), False),
        (("absent", "!=", "x"), False),
        (("total.amount.cents", "<=", "1"), False),
    ],
)
def test_conditions_compare_numbers_as_numbers_and_never_hold_for_what_is_absent(condition: Any, holds: bool) -> None:
    assert matches(terms(condition), FACTS) is holds


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "pay"},
        {"risk": "medium"},
        {"risk": "unheard of"},
        {"reversibility": "no"},
        {"reversibility": "compensable"},
        {"kind": "question"},
        {"allowed": ("reject",)},
        {"policy": Policy(rule="quorum", quorum=2)},
        {"policy": Policy(required_groups=("finance",))},
        {"disguised": True},
    ],
)
def test_what_needs_a_person_is_left_to_a_person(changes: dict[str, Any]) -> None:
    assert matches(TERMS, FACTS)
    assert not matches(TERMS, facts(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action": "*"}, "Name the action"),
        ({"max_risk": "high"}, "High risk"),
        ({"max_risk": "unheard of"}, "High risk"),
        ({"reversibility": ("yes", "no")}, "cannot be undone"),
        ({"reversibility": ()}, "what can be undone"),
    ],
)
def test_a_rule_that_may_not_be_says_why_and_matches_nothing(changes: dict[str, Any], words: str) -> None:
    bad = terms(**changes)
    assert words in " ".join(wrong(bad))
    assert not matches(bad, facts(risk="low"))


def test_a_limit_that_is_no_number_is_refused() -> None:
    assert wrong(terms(("total.amount", "<=", "many"))) == ["'many' is no number."]


@given(st.sampled_from(["low", "medium", "high", "critical", "?"]), st.sampled_from(["yes", "compensable", "no"]))
def test_no_rule_whatever_its_terms_approves_high_risk_or_what_cannot_be_undone(risk: str, reversibility: str) -> None:
    for most in ("low", "medium", "high", "critical"):
        bold = terms(max_risk=most, reversibility=("yes", "compensable", "no"))
        careful = terms(max_risk=most, reversibility=("yes", "compensable"))
        found = facts(risk=risk, reversibility=reversibility)
        assert not matches(bold, found)
        assert not matches(careful, found) or (risk in ("low", "medium") and reversibility != "no")


def test_a_dry_run_says_what_would_have_been_and_where_people_saw_it_otherwise() -> None:
    history = [(FACTS, "approve")] * 308 + [(FACTS, "reject")] * 4 + [(facts(risk="high"), "reject")] * 688
    found = dry_run(TERMS, history)
    assert found.text == "would have matched 312 of the last 1,000; people rejected 4 of those"
    assert found.by_people == {"approve": 308, "reject": 4}
