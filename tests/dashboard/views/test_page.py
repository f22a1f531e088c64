"""The frame of every page, and how errors look."""

import pytest
from django.test import Client

from tests.dashboard.scenes import viewer

pytestmark = pytest.mark.django_db
PAGES = ("/", "/runs/", "/approvals/", "/agents/", "/dead-letters/", "/audit/", "/topics/")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_frame(path: str) -> None:
    page = viewer().get(path)
    text = page.content.decode()
    assert page.status_code == 200
    assert 'class="skip"' in text
    assert "data-fresh" in text
    assert "data-live-pill" in text
    assert 'id="health"' in text
    assert "js/frame.js" in text
    assert "no-store" in page.headers["cache-control"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_loads_anything_from_elsewhere(path: str) -> None:
    text = viewer().get(path).content.decode()
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text


def test_a_page_that_does_not_exist_is_told_in_the_same_finish() -> None:
    answer = viewer().get("/nix/")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content
    assert b"Resolver404" not in answer.content


def test_a_forged_post_is_told_in_the_same_finish() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "x"})
    assert answer.status_code == 403
    assert b"Please send that again" in answer.content
