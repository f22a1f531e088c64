"""The policy of approvals as tables, and as properties over random votes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.approvals import (
    RISKS,
    Ballot,
    RiskRule,
    bulk_allowed,
    content_hash,
    decision_id,
    effective_risk,
    known_risk,
    needed,
    on_expiry,
    queue_key,
    standing,
    steps,
    valid_until,
    with_args,
)
from coordination.canonical import NotCanonical
from coordination.events.approval import Policy


def vote(voter: str, decision: str = "approve", *groups: str, hash_: str = "h", service: bool = False) -> Ballot:
    return Ballot(voter=voter, decision=decision, groups=frozenset(groups), args_hash=hash_, service=service)


ANY = Policy()
TWO = Policy(rule="quorum", quorum=2)
TWO_WITH_FINANCE = Policy(rule="quorum", quorum=2, required_groups=("finance",))
ALL = Policy(rule="all", required_groups=("finance", "legal"))


@pytest.mark.parametrize(
    ("policy", "votes", "state", "text"),
    [
        (ANY, [], "pending", "0 of 1. Needs one more."),
        (ANY, [vote("ana")], "granted", "1 of 1."),
        (ANY, [vote("ana", "reject")], "denied", "Rejected: one reject ends it."),
        (
            Policy(required_groups=("finance",)),
            [vote("ana", "approve", "ops")],
            "pending",
            "1 of 1. Needs one from finance.",
        ),
        (TWO, [vote("ana")], "pending", "1 of 2. Needs one more."),
        (TWO, [vote("ana"), vote("bo")], "granted", "2 of 2."),
        (TWO, [vote("ana"), vote("bo", "reject")], "denied", "Rejected: one reject ends it."),
        (TWO, [vote("ana"), vote("me")], "pending", "1 of 2. Needs one more."),
        (TWO, [vote("ana"), vote("bot", service=True)], "pending", "1 of 2. Needs one more."),
        (TWO_WITH_FINANCE, [vote("ana"), vote("bo")], "pending", "2 of 2. Needs one from finance."),
        (TWO_WITH_FINANCE, [vote("ana"), vote("bo", "approve", "finance")], "granted", "2 of 2."),
        (ALL, [vote("ana", "approve", "finance")], "pending", "1 of 2. Needs one from legal."),
        (ALL, [vote("ana", "approve", "finance"), vote("bo", "approve", "legal")], "granted", "2 of 2."),
        (TWO, [vote("ana", "edit", hash_="new"), vote("bo", hash_="new")], "pending", "1 of 2. Needs one more."),
        (
            TWO,
            [vote("ana", "edit", hash_="new"), vote("bo", hash_="new"), vote("cy", hash_="new")],
            "granted",
            "2 of 2.",
        ),
        (TWO, [vote("bo"), vote("cy"), vote("ana", "edit", hash_="new")], "pending", "0 of 2. Needs 2 more."),
    ],
)
def test_votes_stand_as_the_policy_says(policy: Policy, votes: list[Ballot], state: str, text: str) -> None:
    got = standing(policy, votes, on_behalf_of=["me"])
    assert (got.state, got.text) == (state, text)


TWO_OF_THREE = Policy(rule="quorum", quorum=2, required_groups=("finance", "legal", "ops"))


@pytest.mark.parametrize(
    ("votes", "state", "text"),
    [
        ([], "pending", "0 of 2. Needs 2 from finance, legal or ops."),
        ([vote("ana", "approve", "finance")], "pending", "1 of 2. Needs one from legal or ops."),
        ([vote("ana", "approve", "finance"), vote("bo", "approve", "finance")], "pending", "1 of 2. Needs one from"),
        ([vote("ana", "approve", "finance"), vote("bo", "approve", "ops")], "granted", "2 of 2."),
        ([vote("ana", "approve", "finance", "legal", "ops")], "pending", "1 of 2. Needs one from"),
        ([vote("ana", "approve", "finance"), vote("bo")], "pending", "1 of 2. Needs one from"),
        # Bo can only stand for finance, so ana stands for legal.
        ([vote("ana", "approve", "finance", "legal"), vote("bo", "approve", "finance")], "granted", "2 of 2."),
    ],
)
def test_a_quorum_below_the_number_of_groups_means_any_so_many_of_them(
    votes: list[Ballot], state: str, text: str
) -> None:
    got = standing(TWO_OF_THREE, votes)
    assert got.state == state
    assert got.text.startswith(text)


def test_a_quorum_that_was_left_out_asks_for_every_group() -> None:
    assert needed(Policy(rule="quorum", required_groups=("finance", "legal"))) == 2


def test_nobody_stands_for_two_required_groups() -> None:
    both = Policy(rule="all", required_groups=("finance", "legal"))
    one_for_both = [vote("ana", "approve", "finance", "legal"), vote("bo")]
    assert standing(both, one_for_both).state == "pending"
    assert standing(both, [*one_for_both, vote("cy", "approve", "finance")]).state == "granted"


def test_an_edit_alone_grants_where_one_vote_is_enough() -> None:
    assert standing(ANY, [vote("ana", "edit", hash_="new")]).state == "granted"
    assert standing(Policy(rule="quorum", quorum=1), [vote("ana", "edit", hash_="new")]).state == "granted"


def test_an_edit_from_the_required_group_grants_after_a_vote_from_elsewhere() -> None:
    finance = Policy(required_groups=("finance",))
    assert standing(finance, [vote("ana"), vote("bo", "edit", "finance", hash_="new")]).state == "granted"


def test_an_edit_from_elsewhere_waits_for_the_required_group() -> None:
    finance = Policy(required_groups=("finance",))
    edited = [vote("ana", "edit", hash_="new")]
    assert standing(finance, edited).state == "pending"
    assert standing(finance, [*edited, vote("bo", "approve", "finance", hash_="new")]).state == "granted"
    assert standing(finance, [*edited, vote("bo", "approve", "finance")]).state == "pending"


def test_who_does_not_count_is_told_why() -> None:
    got = standing(TWO, [vote("me"), vote("bot", service=True)], on_behalf_of=["me"])
    assert got.ignored == {
        "me": "the task runs on behalf of this person",
        "bot": "service accounts never vote",
    }


ballots = st.lists(
    st.builds(
        Ballot,
        voter=st.sampled_from("abcdef"),
        decision=st.sampled_from(["approve", "reject", "edit"]),
        groups=st.frozensets(st.sampled_from(["finance", "legal", "ops"])),
        args_hash=st.sampled_from(["h", "new"]),
        service=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda ballot: ballot.voter,
)
policies = st.builds(
    Policy,
    rule=st.sampled_from(["any", "all", "quorum"]),
    quorum=st.integers(1, 4),
    required_groups=st.lists(st.sampled_from(["finance", "legal", "ops"]), unique=True).map(tuple),
)


@given(policies, ballots)
def test_nothing_is_granted_against_a_reject_or_below_the_quorum(policy: Policy, votes: list[Ballot]) -> None:
    got = standing(policy, votes, on_behalf_of=["a"])
    if got.state != "granted":
        return
    counting = [v for v in votes if v.voter not in got.ignored]
    assert not any(v.decision == "reject" and not v.service for v in votes)
    assert not any(v.service or v.voter == "a" for v in counting)
    assert len(counting) >= needed(policy)
    assert len({v.args_hash for v in counting}) == 1 or not any(v.decision == "edit" for v in votes)


@given(policies, ballots)
def test_groups_are_counted_as_by_trying_every_choice_of_people(policy: Policy, votes: list[Ballot]) -> None:
    got = standing(policy, votes)
    if got.state == "denied" or policy.rule == "any":
        return
    people = [v for v in votes if v.voter not in got.ignored]
    wanted = min(needed(policy), len(policy.required_groups))
    ways = (
        sum(group in person.groups for group, person in zip(groups, chosen, strict=True)) == wanted
        for groups in itertools.combinations(policy.required_groups, wanted)
        for chosen in itertools.permutations(people, wanted)
    )
    assert (got.state == "granted") == (len(people) >= needed(policy) and any(ways))


@given(policies, ballots)
def test_taking_an_agreeing_vote_away_never_grants(policy: Policy, votes: list[Ballot]) -> None:
    if standing(policy, votes).state != "pending" or any(v.decision == "edit" for v in votes):
        return
    for index in range(len(votes)):
        assert standing(policy, votes[:index] + votes[index + 1 :]).state != "granted"


def test_the_hash_is_over_the_canonical_form_of_the_whole_action() -> None:
    assert content_hash({"b": 1, "a": "x"}) == content_hash({"a": "x", "b": 1.0})
    assert content_hash({"args": {"a": 1}}) != content_hash({"args": {"a": 2}})
    with pytest.raises(NotCanonical):
        content_hash({"amount": 2**53})


def test_an_edit_replaces_the_arguments_as_a_whole() -> None:
    assert with_args({"name": "pay", "args": {"a": 1, "b": 2}}, {"a": 3}) == {"name": "pay", "args": {"a": 3}}


def test_a_round_has_one_decision_id() -> None:
    assert decision_id("x", 1, 1) == decision_id("x", 1, 1)
    assert len({decision_id("x", 1, 1), decision_id("x", 2, 1), decision_id("x", 1, 2), decision_id("x1", 1, 1)}) == 4


RULES = (
    RiskRule(name="irreversible", version=2, at_least="high", irreversible=True),
    RiskRule(name="refunds", version=1, at_least="medium", action="refund"),
    RiskRule(name="blind", version=1, at_least="critical", without_preview=True),
)


@pytest.mark.parametrize(
    ("claimed", "action", "reversibility", "complete", "risk"),
    [
        ("low", "note", "yes", True, "low"),
        ("low", "refund", "yes", True, "medium"),
        ("high", "refund", "yes", True, "high"),
        ("low", "refund", "no", True, "high"),
        ("low", "note", "yes", False, "critical"),
        ("harmless", "note", "yes", True, "high"),
    ],
)
def test_effective_risk_is_never_below_the_claim_or_a_rule(
    claimed: str, action: str, reversibility: str, complete: bool, risk: str
) -> None:
    got, reasons = effective_risk(
        claimed, RULES, action=action, agent_group="payer", reversibility=reversibility, complete_preview=complete
    )
    assert got == risk
    assert RISKS.index(got) >= RISKS.index(known_risk(claimed))
    assert reasons


def test_the_timer_warns_escalates_and_expires_in_order() -> None:
    assert [(s.name, s.at) for s in steps(requested_at=0, due_at=100, expires_at=200)] == [
        ("warn", 80),
        ("escalate", 100),
        ("expire", 200),
    ]
    assert steps(requested_at=0, due_at=None, expires_at=None) == ()


@pytest.mark.parametrize(
    ("asked", "risk", "reversibility", "fresh", "done"),
    [
        ("reject", "low", "yes", True, "reject"),
        ("approve", "low", "yes", True, "approve"),
        ("approve", "low", "yes", False, "wait"),
        ("approve", "medium", "yes", True, "reject"),
        ("approve", "low", "compensable", True, "reject"),
        ("escalate", "high", "no", True, "escalate"),
        ("wait", "high", "no", False, "wait"),
        ("anything", "low", "yes", True, "reject"),
    ],
)
def test_silence_approves_only_what_is_harmless(
    asked: str, risk: str, reversibility: str, fresh: bool, done: str
) -> None:
    assert on_expiry(asked, risk=risk, reversibility=reversibility, ingest_fresh=fresh) == done


def test_a_decision_is_valid_until_the_earlier_end() -> None:
    assert valid_until(100, 50, 20) == 70
    assert valid_until(60, 50, 20) == 60
    assert valid_until(None, 50, None) is None


def test_bulk_is_for_small_equal_things() -> None:
    assert bulk_allowed("medium", 50, same_action=True, same_policy=True) == ""
    assert bulk_allowed("high", 2, same_action=True, same_policy=True)
    assert bulk_allowed("low", 51, same_action=True, same_policy=True)
    assert bulk_allowed("low", 2, same_action=False, same_policy=True)


def test_the_queue_is_overdue_then_risk_then_due_then_age() -> None:
    items = {
        "old": queue_key(now=100, risk="low", due_at=None, requested_at=1),
        "young": queue_key(now=100, risk="low", due_at=None, requested_at=2),
        "soon": queue_key(now=100, risk="low", due_at=150, requested_at=3),
        "risky": queue_key(now=100, risk="high", due_at=None, requested_at=4),
        "late": queue_key(now=100, risk="low", due_at=99, requested_at=5),
    }
    assert sorted(items, key=items.__getitem__) == ["late", "risky", "soon", "old", "young"]
