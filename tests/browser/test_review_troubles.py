"""When things go wrong the review page says so, in the words a reviewer was promised (approvals.md, failure table)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser

from coordination.instants import moment, rfc3339
from dashboard import approvals
from dashboard.clock import database_now
from dashboard.models import Decision, Vote
from dashboard.sweep.adoption import adopt_new
from dashboard.sweep.foreign import look_at_pending
from dashboard.sweep.timers import take_due
from tests.browser.desk import Desk
from tests.dashboard.cast import PAY, SECOND, ask, person, say
from tests.dashboard.relaying import HASH
from tests.dashboard.scenes import group, member, position
from tests.dashboard.scenes import worker as ingesting

pytestmark = pytest.mark.django_db(transaction=True)
CLOCK = r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"
PLACES = [["coord.review.approval.events", 4, 77], ["coord.run.decision.commands", 4, 9182]]


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def reviewer() -> User:
    return member("lena", "all")


@pytest.fixture
def desk(browser: Browser, live_server: Any, reviewer: User) -> Iterator[Desk]:
    made = Desk(browser, live_server.url, reviewer)
    yield made
    made.context.close()


def decided(who: User, decision: str = "approve", **given: Any) -> approvals.Receipt:
    shown: dict[str, Any] = {"approval_id": "ask-1", "request_version": 1, "content_hash": HASH}
    return approvals.decide(user=who, decision=decision, **(shown | given))


def moved(**fields: Any) -> None:
    """The relay has done something with the decision."""
    Decision.objects.filter(kind="decision").update(held_until=0, **fields)


def published(ago: float = 90.0) -> None:
    at = database_now() - int(ago * SECOND)
    moved(state="published", published_at=at, positions=[[*place, at] for place in PLACES])


def answered(name: str, **data: Any) -> None:
    """The agent answers the decision, and ingest reads it."""
    decision = Decision.objects.get(kind="decision")
    say(name, {"decision_id": decision.decision_id, "approval_id": "ask-1", **data})


def test_broker_down_at_the_click(desk: Desk) -> None:
    ask()
    page = desk.review()
    page.keyboard.press("a")
    desk.wait(lambda: desk.words("#outcome") == "Saved.")
    moved(error=f"Kafka unreachable since {rfc3339(database_now() - 30 * SECOND)[:19]}Z.")
    desk.tell("ask-1")
    desk.wait(lambda: "Not sent yet" in desk.words("#receipt-said"))
    said = desk.words("#receipt-said")
    assert re.match(
        rf"^Saved {CLOCK}\. Not sent yet: Kafka unreachable since {CLOCK}\. It will be sent by itself\.", said
    )
    assert re.search(r"It can be sent for 1 d 0 h more\.$", said)
    desk.looks_right()


def test_web_process_or_relay_dies(desk: Desk, reviewer: User) -> None:
    ask()
    decided(reviewer)
    desk.review()
    assert desk.words("#receipt").startswith("Saved")
    published(1)
    desk.review()
    assert "Published 4@9182" in desk.words("#receipt")
    assert Decision.objects.filter(kind="decision").count() == 1
    desk.looks_right()


def test_broker_back_too_late(desk: Desk, reviewer: User) -> None:
    ask()
    decided(reviewer)
    moved(state="late")
    desk.review()
    assert desk.words("#receipt-said") == "Not sent in time. The agent was not given permission."
    desk.looks_right()


def test_two_people_decide(desk: Desk) -> None:
    ask()
    page = desk.review()
    decided(person("ana"), "reject", comment="too much")
    page.keyboard.press("r")
    page.keyboard.type("I think so too")
    page.keyboard.press("Control+Enter")
    desk.wait(lambda: desk.words("#outcome") != "")
    pattern = r"^Rejected by ana \d+(\.\d)? s before you: too much\. Your comment is kept as a note\.$"
    assert re.match(pattern, desk.words("#outcome"))
    assert Vote.objects.get(counts=False).comment == "I think so too"
    desk.looks_right()


def test_timer_against_click(desk: Desk) -> None:
    ask(expires_at=moment(database_now() + 100_000))
    adopt_new()
    page = desk.review()
    desk.wait(lambda: take_due(fresh=True) > 0)
    page.keyboard.press("a")
    desk.wait(lambda: desk.words("#outcome") != "")
    assert re.match(rf"^Expired {CLOCK}\.\d\d\d, your click came at {CLOCK}\.\d\d\d\.$", desk.words("#outcome"))
    desk.looks_right()


def test_content_changed_while_reading(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    page = desk.review()
    monkeypatch.setattr("dashboard.api.reviewpage.action_as_sent", lambda request, version=None: PAY)
    ask(version=2, action=PAY | {"target": "supplier 8"})
    desk.tell("ask-1")
    desk.wait(lambda: page.locator("#stale").is_visible())
    assert "version 1 became 2" in desk.words("#stale")
    assert "supplier 7" in desk.words("#review")
    assert page.locator("button[name=decision]:enabled").count() == 0
    desk.looks_right()
    page.click("#stale-link")
    page.wait_for_selector("#since")
    assert "version 1 → version 2" in desk.words("#since")
    assert '"supplier 7" "supplier 8"' in desk.words("#since")
    desk.wait(lambda: page.locator("button[value=approve]").is_enabled())
    desk.looks_right()


def test_a_click_on_the_old_content_decides_nothing(desk: Desk) -> None:
    ask()
    page = desk.review()
    ask(version=2, action=PAY | {"target": "supplier 8"})
    page.keyboard.press("a")
    desk.wait(lambda: page.locator("#stale").is_visible())
    assert "version 1 became 2. Nothing was decided." in desk.words("#outcome")
    assert not Vote.objects.exists()


def test_vote_not_enough(desk: Desk) -> None:
    ask(policy={"rule": "quorum", "quorum": 2, "required_groups": ["finance"]})
    page = desk.review()
    page.keyboard.press("a")
    desk.wait(lambda: desk.words("#outcome") != "")
    assert desk.words("#standing") == "1 of 2. Needs one from finance."
    desk.looks_right()


def test_vote_not_allowed(desk: Desk) -> None:
    ask(on_behalf_of=["lena"])
    page = desk.review()
    assert page.locator("button[value=approve]").is_disabled()
    assert page.locator("button[value=reject]").is_enabled()
    assert "the task runs on behalf of this person" in desk.words("#off")
    desk.looks_right()


def test_agent_refuses(desk: Desk, reviewer: User) -> None:
    ask()
    decided(reviewer)
    published()
    answered("decision.refused", reason="superseded", detail="Attempt 3 replaced attempt 2.")
    desk.review()
    said = desk.words("#receipt-said")
    assert re.match(rf"^Published, but refused: attempt 3 replaced attempt 2 at {CLOCK}\.$", said)
    desk.looks_right()


REFUSALS = {
    "late": "it came after its time",
    "hash_mismatch": "what would run is not what was approved",
    "bad_signature": "its signature is not that of a key the agent trusts",
    "duplicate": "it was applied before",
    "withdrawn": "the agent does not wait for it any more",
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_refusal_of_the_agent_stands_on_the_page_with_its_reason(desk: Desk, reviewer: User, reason: str) -> None:
    ask()
    decided(reviewer)
    published()
    answered("decision.refused", reason=reason)
    desk.review()
    assert desk.words("#receipt-said").startswith(f"Published, but refused: {REFUSALS[reason]} at ")


def test_no_answer_in_time(desk: Desk, reviewer: User) -> None:
    ask()
    group("payer", "slow")
    decided(reviewer)
    published(90)
    page = desk.review()
    said = desk.words("#receipt-said")
    pattern = (
        r"^Delivered at 4@9182; no answer from group payer for (1 m 3\d s|90 s); 12 tasks wait before it\. Its lag$"
    )
    assert re.match(pattern, said)
    assert page.locator("#receipt-said a").get_attribute("href") == "/agents/payer/"
    desk.looks_right()


def test_revoke_too_late(desk: Desk, reviewer: User) -> None:
    ask()
    decided(reviewer)
    published(1)
    page = desk.review()
    page.click("#revoke")
    desk.wait(lambda: Decision.objects.filter(kind="revoke").exists())
    answered("decision.applied")
    answered("decision.refused", reason="too_late", of="revoke", compensation_task_id="task-9")
    desk.tell("ask-1")
    desk.wait(lambda: "Already executed" in desk.words("#receipt-said"))
    assert re.match(rf"^Already executed {CLOCK}\. Compensation task$", desk.words("#receipt-said"))
    assert page.locator("#receipt-said a").get_attribute("href") == "/runs/run-1/tasks/task-9/"
    desk.looks_right()


def test_topic_missing_not_authorised_too_large(desk: Desk, reviewer: User) -> None:
    ask()
    decided(reviewer)
    moved(state="undeliverable", error="no write right on the topic. Ask the cluster's owner.")
    desk.review()
    assert desk.words("#receipt-said").startswith("Saved; cannot be delivered: no write right on the topic.")
    desk.looks_right()


def test_ingest_behind(desk: Desk) -> None:
    ask()
    now = database_now()
    ingesting(now + 3600 * SECOND)
    position(next_offset=5, end_offset=10, last_at=now - 12 * SECOND, end_at=now - 2 * SECOND)
    page = desk.review()
    assert re.search(r"What you see is 1\d s behind the log\.", desk.words("#behind"))
    assert "automatic approvals pause" in desk.words("#behind")
    page.keyboard.press("a")
    assert "Decide on what you see?" in desk.words("#behind-field")
    assert not Vote.objects.exists()
    desk.looks_right()
    page.keyboard.press("Control+Enter")
    desk.wait(lambda: desk.words("#outcome") == "Saved.")


def test_a_decision_on_the_topic_that_we_did_not_send(desk: Desk) -> None:
    ask()
    adopt_new()
    desk.review()
    say("approval.granted", {"approval_id": "ask-1", "request_version": 1, "decision_id": "x", "decision": "approve"})
    look_at_pending()
    desk.tell("ask-1")
    desk.wait(lambda: desk.page.locator("#foreign").is_visible())
    assert desk.words("#foreign").startswith("Someone else wrote a decision for this request.")
    desk.looks_right()


def test_socket_lost(desk: Desk, reviewer: User) -> None:
    ask()
    page = desk.review()
    desk.lose()
    desk.wait(lambda: "reconnecting" in desk.words(".header"))
    assert re.search(rf"reconnecting, data from {CLOCK}", desk.words(".header"))
    desk.looks_right()
    page.keyboard.press("a")
    desk.wait(lambda: desk.words("#outcome") == "Saved.")
    assert Decision.objects.filter(kind="decision", person=reviewer).count() == 1


@pytest.mark.parametrize("width", [390])
def test_the_words_have_room_on_a_phone(browser: Browser, live_server: Any, reviewer: User, width: int) -> None:
    ask(title="Execute refunds, batch 2 of 3", on_behalf_of=["planner-1"])
    phone = Desk(browser, live_server.url, reviewer, width=width, height=844)
    try:
        phone.review()
        phone.looks_right()
        decided(reviewer)
        moved(error="Kafka unreachable since 2026-11-30T12:00:40Z.")
        phone.review()
        phone.looks_right()
    finally:
        phone.context.close()
