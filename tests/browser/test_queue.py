"""The queue in a browser: many at once, and fifty one after the other, by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page

from coordination.instants import moment
from dashboard import approvals
from dashboard.clock import database_now
from dashboard.models import Approval, Decision, Request, Vote
from dashboard.sweep.adoption import adopt_new
from tests.browser.desk import Desk
from tests.dashboard.cast import PAY, SECOND, ask, person
from tests.dashboard.relaying import HASH
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_several_are_chosen_looked_at_and_decided_with_an_answer_each(desk: Desk) -> None:
    for name in ("one", "two", "three"):
        ask(name, title=f"Pay {name}", risk="low")
    ask("high", title="Pay a lot", risk="high")
    adopt_new()
    page = desk.open("/approvals/")
    page.keyboard.press("j")  # the one of high risk, which is decided by itself
    page.keyboard.press("x")
    assert page.locator("#bulk").is_hidden()
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    assert desk.words("#bulk-count") == "3 chosen"
    assert page.locator("[data-bulk=approve]").is_disabled()
    page.click("#bulk-look")
    desk.wait(lambda: page.locator("#bulk-list li").count() == 3)
    assert desk.words("#bulk-list").count("18240.50") == 3
    desk.looks_right()
    approvals.decide(
        approval_id="two",
        user=person("ana"),
        decision="reject",
        request_version=1,
        content_hash=HASH,
        comment="wrong account",
    )
    page.evaluate("document.getElementById('bulk-list').scrollTo(0, 1e6)")
    desk.wait(lambda: page.locator("[data-bulk=approve]").is_enabled())
    page.click("[data-bulk=approve]")
    desk.wait(lambda: page.locator("#bulk-answers li").count() == 3)
    answers = desk.words("#bulk-answers")
    assert answers.count("Saved Pay") == 2
    assert "Lost Pay two Rejected by ana" in answers
    assert "wrong account" in answers
    desk.looks_right()


MIXED = 50
KINDS = ("approve", "reject", "edit", "respond", "dangerous")


def mixed(number: int) -> str:
    """A request to decide in one of five ways; returns which."""
    how = KINDS[number % 5]
    given: dict[str, Any] = {"risk": "high", "reversibility": "no"} if how == "dangerous" else {"risk": "low"}
    if how == "respond":
        given |= {"kind": "question", "question": f"Which price wins for order {number}?"}
    due = moment(database_now() + (number + 1) * 60 * SECOND)
    ask(
        f"ask-{number:02}",
        title=f"{how} order {number}",
        run=f"run-{number}",
        task=f"task-{number}",
        due_at=due,
        **given,
    )
    return how


def answer(page: Page, how: str) -> None:
    """The keys a reviewer presses."""
    if how == "reject":
        page.keyboard.press("r")
        page.keyboard.type("too much")
    elif how == "edit":
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type('{"amount": "17910.00"}')
    elif how == "respond":
        page.keyboard.press("d")
        page.keyboard.type("the first one")
    else:
        page.keyboard.press("a")
        if how == "approve":
            return
        page.keyboard.type(PAY["name"])
    page.keyboard.press("Control+Enter")


@pytest.mark.timeout(900)
def test_fifty_mixed_requests_are_cleared_by_keyboard(desk: Desk, tmp_path: Path) -> None:
    for number in range(MIXED):
        mixed(number)
    adopt_new()
    page = desk.open("/approvals/")
    desk.looks_right(tmp_path, "queue")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for step in range(MIXED):
        page.wait_for_selector("#review[data-open=yes]")
        how = page.locator("#review h1").inner_text().split()[0]
        page.wait_for_selector("button[name=decision][value=approve]:enabled")
        shots = tmp_path if step < 2 * len(KINDS) else None  # every kind twice; all are looked at
        desk.looks_right(shots, f"{step:02}-open")
        answer(page, how)
        desk.wait(lambda: desk.words("#outcome") == "Saved.")
        desk.looks_right(shots, f"{step:02}-saved")
        if step < MIXED - 1:
            here = page.url
            page.keyboard.press("n")
            page.wait_for_url(lambda url, here=here: url != here)
    verdicts = list(Decision.objects.filter(kind="decision").values_list("verdict", flat=True))
    assert {word: verdicts.count(word) for word in set(verdicts)} == {
        "approve": 20,
        "reject": 10,
        "edit": 10,
        "respond": 10,
    }
    assert not Approval.objects.filter(state="pending").exists()
    assert Request.objects.count() == MIXED
    assert not Vote.objects.filter(opened_payload=False).exists()
