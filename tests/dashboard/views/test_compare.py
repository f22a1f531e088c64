"""The compare page."""

import pytest

from tests.dashboard.api.test_comparepage import ended
from tests.dashboard.scenes import member, run, signed_in, viewer

pytestmark = pytest.mark.django_db


def test_both_runs_stand_side_by_side() -> None:
    ended("old", minutes=3)
    ended("new", minutes=5)
    page = viewer().get("/runs/compare/?a=old&b=new").content.decode()
    assert "2 m 00 s longer" in page
    assert "slower" in page
    assert 'id="first-compare"' in page


def test_without_runs_there_is_a_form_to_choose_them() -> None:
    run()
    page = viewer().get("/runs/compare/").content.decode()
    assert "Which runs?" in page
    assert 'value="run-1"' in page


def test_what_cannot_be_compared_is_said_with_a_choice_of_others() -> None:
    ended("new", minutes=5)
    answer = viewer().get("/runs/compare/?b=new")
    assert answer.status_code == 422
    assert b"there is no other success" in answer.content


def test_the_page_needs_the_right_to_see_runs() -> None:
    assert signed_in(member("eve")).get("/runs/compare/").status_code == 403


def test_a_run_leads_to_its_comparisons() -> None:
    ended("old", minutes=3, first_at=1)
    ended("new", minutes=5)
    page = viewer().get("/runs/new/").content.decode()
    assert "/runs/compare/?a=median&amp;b=new" in page
    assert "b=new&amp;a=old" in page
    assert "/workflows/incident/" in page
