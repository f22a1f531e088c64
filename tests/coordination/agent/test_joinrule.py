"""When a join is decided, as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.agent.joinrule import Rule, Ruling, decide

OK, BAD = "completed", "failed"


@pytest.mark.parametrize(
    ("rule", "outcomes", "expected", "verdict"),
    [
        (Rule("all"), [OK, OK], 3, None),
        (Rule("all"), [OK, OK, OK], 3, "satisfied"),
        (Rule("all"), [OK, OK, OK], None, None),
        (Rule("all"), [OK, BAD], 3, "failed"),
        (Rule("all"), [BAD], None, "failed"),
        (Rule("all", 1, "continue"), [OK, BAD], 3, None),
        (Rule("all", 1, "continue"), [BAD], None, None),
        (Rule("all", 1, "continue"), [OK, BAD, "canceled"], 3, "failed"),
        (Rule("all"), [], 0, "satisfied"),
        (Rule("any"), [BAD], 2, None),
        (Rule("any"), [BAD, OK], 3, "satisfied"),
        (Rule("any"), [OK], None, "satisfied"),
        (Rule("any"), [BAD, BAD], 2, "failed"),
        (Rule("any"), [BAD, BAD], None, None),
        (Rule("any"), [], 0, "failed"),
        (Rule("quorum", 2), [OK], 3, None),
        (Rule("quorum", 2), [OK, OK], 3, "satisfied"),
        (Rule("quorum", 2), [OK, OK], None, "satisfied"),
        (Rule("quorum", 2), [BAD, BAD], 3, "failed"),
        (Rule("quorum", 2, "continue"), [BAD, BAD], 3, None),
        (Rule("quorum", 2, "continue"), [BAD, BAD, OK], 3, "failed"),
        (Rule("quorum", 5), [OK], 3, "failed"),
        (Rule("all_settled"), [OK, BAD], 3, None),
        (Rule("all_settled"), [OK, BAD, "expired"], 3, "satisfied"),
        (Rule("all_settled"), [OK, BAD], None, None),
    ],
)
def test_a_join_is_decided_by_its_rule(
    rule: Rule, outcomes: list[str], expected: int | None, verdict: str | None
) -> None:
    ruling = decide(rule, dict(enumerate(outcomes)), expected)
    assert (ruling.verdict if ruling else None) == verdict


RULES = st.builds(
    Rule,
    st.sampled_from(["all", "any", "quorum", "all_settled"]),
    st.integers(1, 4),
    st.sampled_from(["fail_fast", "continue"]),
)


@given(RULES, st.lists(st.sampled_from([OK, BAD]), min_size=1, max_size=6))
def test_when_every_branch_has_ended_the_join_is_decided(rule: Rule, outcomes: list[str]) -> None:
    assert decide(rule, dict(enumerate(outcomes)), len(outcomes)) is not None


@given(RULES, st.permutations([OK, OK, BAD, BAD]))
def test_the_order_of_indexes_changes_nothing(rule: Rule, outcomes: list[str]) -> None:
    given_order = decide(rule, dict(enumerate(outcomes)), 4)
    other_order = decide(rule, dict(enumerate(sorted(outcomes))), 4)
    assert given_order == other_order


@given(RULES, st.lists(st.sampled_from([OK, BAD]), max_size=5), st.integers(0, 3))
def test_what_is_decided_while_unsealed_is_what_any_total_would_decide(
    rule: Rule, outcomes: list[str], more: int
) -> None:
    early = decide(rule, dict(enumerate(outcomes)), None)
    if early is not None:
        later = decide(rule, dict(enumerate(outcomes)), len(outcomes) + more)
        assert later is not None
        assert later.verdict == early.verdict


def test_a_failed_join_says_how_many_were_missing() -> None:
    assert decide(Rule("quorum", 2), {0: BAD, 1: BAD}, 3) == Ruling(
        "failed", "2 of 3 branches did not complete; 2 were needed."
    )
