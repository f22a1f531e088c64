"""Queue and review: the page shows what will run, and a form decides without scripts too."""

from pathlib import Path
from typing import Any

import pytest

from coordination.approvals import content_hash
from dashboard.models import Approval, Decision
from tests.dashboard.cast import PAY, ask
from tests.dashboard.scenes import member, signed_in
from tests.dashboard.views.test_board import first

pytestmark = pytest.mark.django_db
PATH = "/approvals/ask-1/"
FORM = {"decision": "approve", "request_version": 1, "content_hash": content_hash(PAY), "comment": ""}


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def reviewer() -> Any:
    return signed_in(member("ana", "view_approval", "decide_approval", "view_run"))


def test_the_queue_brings_its_rows() -> None:
    ask("ask-1", title="Pay 12 EUR")
    page = reviewer().get("/approvals/").content
    assert [row["title"] for row in first(page, "first-asks")] == ["Pay 12 EUR"]


def test_a_review_shows_what_will_run_and_its_hash() -> None:
    ask("ask-1", title="Pay 12 EUR")
    page = reviewer().get(PATH).content.decode()
    assert "18240.50" in page
    assert f'data-hash="{content_hash(PAY)}"' in page
    assert 'value="approve"' in page


def test_opening_a_link_decides_nothing() -> None:
    ask("ask-1")
    reviewer().get(PATH, FORM)
    assert Decision.objects.count() == 0
    assert Approval.objects.get().first_viewed_at is not None


def test_the_form_decides_without_scripts() -> None:
    ask("ask-1")
    client = reviewer()
    answer = client.post(PATH, FORM, follow=True)
    assert b"Saved." in answer.content
    assert Decision.objects.get().verdict == "approve"
    assert b"Nothing is left to decide" in client.get(PATH).content


def test_a_form_that_makes_no_sense_says_what_to_write() -> None:
    ask("ask-1")
    answer = reviewer().post(PATH, FORM | {"decision": "edit", "args": "{"})
    assert answer.status_code == 422
    assert b"The arguments are not JSON" in answer.content
    assert Decision.objects.count() == 0


def test_who_comes_second_is_told_on_the_page() -> None:
    ask("ask-1")
    reviewer().post(PATH, FORM | {"decision": "reject", "comment": "too much"})
    other = signed_in(member("bo", "view_approval", "decide_approval"))
    assert b"before you: too much." in other.post(PATH, FORM, follow=True).content


def test_whoever_may_only_look_has_no_buttons_that_work() -> None:
    ask("ask-1")
    page = signed_in(member("eve", "view_approval")).get(PATH).content.decode()
    assert "you have no right to vote" in page
    assert page.count(" disabled") >= 2


def test_high_and_irreversible_asks_for_the_name() -> None:
    ask("ask-1", risk="high", reversibility="no")
    assert b'data-dangerous="yes"' in reviewer().get(PATH).content


def test_without_scripts_too_nothing_dangerous_is_approved_without_its_name() -> None:
    ask("ask-1", risk="high", reversibility="no")
    client = reviewer()
    assert b"type pay to go on" in client.post(PATH, FORM).content
    assert Decision.objects.count() == 0
    client.post(PATH, FORM | {"confirm": "pay"})
    assert Decision.objects.get().verdict == "approve"


def test_a_newer_version_begins_with_what_changed_since_it_was_looked_at() -> None:
    ask("ask-1")
    ask("ask-1", version=2, action=PAY | {"target": "supplier 8"})
    page = reviewer().get(f"{PATH}?from=1").content.decode()
    assert "version 1 → version 2" in page


def test_what_runs_is_shown_beside_what_the_agent_previews() -> None:
    ask("ask-1", preview={"kind": "json", "before": {"x": 1}, "after": {"x": 2}, "complete": True})
    page = reviewer().get(PATH).content.decode()
    assert "What will run" in page
    assert "18240.50" in page


def test_letters_of_another_alphabet_are_pointed_at() -> None:
    ask("ask-1", action=PAY | {"target": "p\u0430ypal"})
    assert "mixes Cyrillic and Latin letters" in reviewer().get(PATH).content.decode()


def test_a_request_nobody_asked_is_not_found() -> None:
    assert reviewer().get("/approvals/nix/").status_code == 404
