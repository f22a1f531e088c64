"""The pages of rules, decided requests, oversight and notifications: what they say, and who may act."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dashboard.models import ApprovalRule, KillSwitch, Notice, NotificationChoice, Webhook
from dashboard.sweep.adoption import adopt_new
from tests.dashboard.approvals.clicking import decide
from tests.dashboard.cast import ask, person
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db
FORM = {"name": "small refunds", "decision": "approve", "action": "pay", "max_risk": "low", "conditions": ""}


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def owner() -> Client:
    return signed_in(member("owner", "all"))


def form(**given: str) -> dict[str, str]:
    return FORM | {"expires": soon()} | given


def history() -> None:
    ana = person("ana")
    for number, decision in enumerate(("approve", "reject")):
        ask(f"ask-{number}", risk="low", reversibility="yes")
        decide(ana, decision, approval_id=f"ask-{number}")


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%d")


def test_a_draft_is_tried_on_history_then_switched_on_then_stopped(owner: Client) -> None:
    history()
    page = owner.post("/policies/save/", form(), follow=True).content.decode()
    assert "would have matched 2 of the last 2; people rejected 1 of those" in page
    assert ">ask-1</a>" in page
    owner.post("/policies/small refunds/activate/", {"version": "1"})
    assert ApprovalRule.objects.get().state == "active"
    assert "small refunds" in owner.get("/policies/").content.decode()
    owner.post("/policies/small refunds/stop/")
    assert ApprovalRule.objects.get().state == "stopped"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"action": "*"}, "Name the action"),
        ({"conditions": "amount about 5"}, "is no condition"),
        ({"conditions": "amount <= many"}, "is no number"),
        ({"expires": "2020-01-01"}, "within 90 days"),
        ({"max_risk": "high"}, "is not one of the available choices"),
    ],
)
def test_a_rule_that_may_not_be_is_refused_in_words(owner: Client, wrong: dict[str, str], words: str) -> None:
    answer = owner.post("/policies/save/", form() | wrong)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ApprovalRule.objects.exists()


def test_the_kill_switch_is_thrown_and_says_so(owner: Client) -> None:
    page = owner.post("/policies/switch/", {"thrown": "yes", "reason": "incident 7"}, follow=True).content.decode()
    assert "All automatic decisions are stopped" in page
    assert "incident 7" in page
    assert KillSwitch.objects.get().thrown
    owner.post("/policies/switch/", {"thrown": "no"})
    assert not KillSwitch.objects.get().thrown


def test_who_may_only_look_sees_rules_and_cannot_act() -> None:
    looker = signed_in(member("eve", "view_approval"))
    assert "Stop all automatic decisions" not in looker.get("/policies/").content.decode()
    for path in ("/policies/save/", "/policies/switch/", "/policies/x/stop/"):
        assert looker.post(path, form()).status_code == 403


def test_what_has_ended_is_listed_with_its_reason_and_found_by_words(owner: Client) -> None:
    history()
    page = owner.get("/decisions/").content.decode()
    assert page.count('class="lead"') == 2
    assert owner.get("/decisions/?query=denied ana").content.decode().count('class="lead"') == 1
    assert "Nothing fits" in owner.get("/decisions/?query=nix").content.decode()


def test_oversight_has_a_page(owner: Client) -> None:
    history()
    assert "Asked to decided" in owner.get("/oversight/?days=7").content.decode()


def test_a_person_chooses_how_to_be_told(owner: Client) -> None:
    given = {"email": "on", "digest": "daily", "quiet_from": "22:00", "quiet_to": "07:00", "zone": "Europe/Berlin"}
    assert owner.post("/notifications/", given).status_code == 302
    kept = NotificationChoice.objects.get()
    assert (kept.email, kept.digest, kept.quiet_from, kept.quiet_to) == (True, "daily", 1320, 420)
    assert b"is no time zone" in owner.post("/notifications/", given | {"zone": "Atlantis"}).content


def test_what_was_given_up_can_be_tried_again(owner: Client) -> None:
    ask("ask-1")
    adopt_new()
    hook = Webhook.objects.create(name="ops", url="http://127.0.0.1:9/", secret="s")
    made = Notice.objects.create(
        approval_id="ask-1", version=1, kind="asked", webhook=hook, state="dead", due_at=1, made_at=1, error="gone"
    )
    assert b"gone" in owner.get("/notifications/").content
    owner.post(f"/notifications/{made.pk}/again/")
    assert Notice.objects.get().state == "waiting"
