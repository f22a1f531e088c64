"""Rules decide once, by name and version, only what they match, and nothing after they were stopped."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from coordination.policyrules import Terms
from dashboard.approvals import rules
from dashboard.clock import database_now
from dashboard.models import Approval, ApprovalRule, Audit, Decision
from dashboard.sweep.adoption import adopt_new
from dashboard.sweep.rules import Rules
from tests.dashboard.approvals.clicking import decide, events
from tests.dashboard.cast import PAY, ask

pytestmark = pytest.mark.django_db
DAY = 86_400_000_000
TERMS = Terms(action="pay")


def asked(approval_id: str = "ask-1", **given: Any) -> None:
    ask(approval_id, **({"risk": "low", "reversibility": "yes"} | given))
    adopt_new()


def switched_on(user: User, terms: Terms = TERMS, name: str = "small payments") -> ApprovalRule:
    made = rules.draft(name, terms, database_now() + 30 * DAY, user)
    return rules.activate(name, made.version, user)


def state_of(approval_id: str = "ask-1") -> str:
    return Approval.objects.get(pk=approval_id).state


def test_a_rule_decides_by_name_and_version_in_row_records_and_trail(ana: User) -> None:
    switched_on(ana)
    asked()
    assert Rules().apply(fresh=True) == 1
    row = Decision.objects.get()
    assert (row.person, row.verdict, row.held_until) == (None, "approve", 0)
    assert (row.provenance["policy_rule"], row.provenance["policy_rule_version"]) == ("small payments", 1)
    fact, command = events(row)
    assert (fact.data.decided_by, fact.data.policy, fact.data.policy_version) == ("policy", "small payments", "1")
    assert command.data.decision == "approve"
    assert Audit.objects.filter(actor="policy", act="approval.decided").count() == 1
    assert Approval.objects.get().decided_by == "rule small payments, version 1"


def test_a_draft_decides_nothing(ana: User) -> None:
    rules.draft("small payments", TERMS, database_now() + DAY, ana)
    asked()
    assert Rules().apply(fresh=True) == 0


def test_nothing_is_decided_while_ingest_is_stale_and_all_of_it_afterwards(ana: User) -> None:
    switched_on(ana)
    asked()
    working = Rules()
    assert (working.apply(fresh=False), working.apply(fresh=True)) == (0, 1)


def test_a_stopped_rule_and_a_thrown_switch_decide_nothing(ana: User) -> None:
    rule, working = switched_on(ana), Rules()
    asked()
    rules.throw(True, ana, "incident")
    assert working.apply(fresh=True) == 0
    assert not rules.apply("ask-1", 1, rule)
    rules.throw(False, ana)
    rules.stop("small payments", ana)
    assert working.apply(fresh=True) == 0
    assert not rules.apply("ask-1", 1, rule)
    assert state_of() == "pending"
    acts = ["rules.stopped", "rules.resumed", "rule.stopped"]
    assert [act for act in Audit.objects.order_by("number").values_list("act", flat=True) if act in acts] == acts


def test_a_rule_ends_by_its_date(ana: User) -> None:
    rule = switched_on(ana)
    asked()
    ApprovalRule.objects.update(expires_at=database_now() - 1)
    assert Rules().apply(fresh=True) == 0
    assert not rules.apply("ask-1", 1, rule)


@pytest.mark.parametrize("days", [-1, 91])
def test_a_rule_without_an_end_within_ninety_days_is_refused(ana: User, days: int) -> None:
    with pytest.raises(rules.RuleRefused, match="within 90 days"):
        rules.draft("x", TERMS, database_now() + days * DAY, ana)


def test_the_next_version_replaces_the_last_and_old_ones_cannot_be_switched_on_again(ana: User) -> None:
    switched_on(ana)
    switched_on(ana, Terms(action="pay", max_risk="medium"))
    assert list(ApprovalRule.objects.order_by("version").values_list("state", flat=True)) == ["replaced", "active"]
    with pytest.raises(rules.RuleRefused, match="Only a draft"):
        rules.activate("small payments", 1, ana)


def test_effective_risk_counts_and_not_what_the_agent_claims(ana: User) -> None:
    switched_on(ana)
    asked(preview={"kind": "text", "after": "x", "complete": False})
    assert Approval.objects.get().risk == "medium"
    assert Rules().apply(fresh=True) == 0


def test_what_has_another_hash_than_is_shown_is_left_to_people(ana: User) -> None:
    rule = switched_on(ana)
    asked(content_hash="0" * 64)
    assert Rules().apply(fresh=True) == 0
    assert not rules.apply("ask-1", 1, rule)


def test_a_person_who_was_first_keeps_their_decision(ana: User) -> None:
    rule = switched_on(ana)
    asked()
    decide(ana, "reject")
    assert not rules.apply("ask-1", 1, rule)
    assert state_of() == "denied"


def test_a_new_version_is_looked_at_anew(ana: User) -> None:
    switched_on(ana)
    asked(risk="high")
    working = Rules()
    assert working.apply(fresh=True) == 0
    asked(version=2)
    assert working.apply(fresh=True) == 1


def test_the_dry_run_counts_what_people_decided_and_names_where_they_differ(ana: User) -> None:
    for number, decision in enumerate(("approve", "approve", "reject")):
        asked(f"ask-{number}")
        decide(ana, decision, approval_id=f"ask-{number}")
    asked("other", risk="high")
    decide(ana, "reject", approval_id="other")
    made = rules.draft("small payments", TERMS, database_now() + DAY, ana)
    assert made.dry_run["text"] == "would have matched 3 of the last 4; people rejected 1 of those"
    assert [approval.approval_id for approval in rules.disagreed(TERMS)] == ["ask-2"]


def test_what_is_disguised_is_left_to_people(ana: User) -> None:
    switched_on(ana)
    asked(action=PAY | {"target": "supplier\u202e 7"})
    assert Rules().apply(fresh=True) == 0
