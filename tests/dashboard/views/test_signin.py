"""Signing in: by password, and by a link that works once and survives whoever only looks at it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.clock import database_now
from dashboard.models import SignInLink
from dashboard.models.access import digest_of
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db
LINK = "/sign-in/the-token/"
MINUTE = 60_000_000


def link(user: User, minutes: int = 10) -> None:
    expires_at = database_now() + minutes * MINUTE
    SignInLink.objects.create(user=user, digest=digest_of("the-token"), expires_at=expires_at)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_looking_at_a_link_does_not_use_it_up() -> None:
    link(member("demo"))
    client = Client()
    assert client.head(LINK).status_code == 200
    page = client.get(LINK)
    assert (page.status_code, b"Signing in as demo" in page.content) == (200, True)
    assert not signed_in(client)
    assert SignInLink.objects.get().used_at is None


def test_posting_a_link_signs_in_once() -> None:
    link(member("demo"))
    first, second = Client(), Client()
    assert first.post(LINK).headers["location"] == "/"
    assert signed_in(first)
    assert second.post(LINK).status_code == 410
    assert not signed_in(second)


def test_the_page_of_a_link_posts_by_itself_and_has_a_button() -> None:
    link(member("demo"))
    page = Client().get(LINK).content.decode()
    assert "js/signin.js" in page
    assert "data-sign-in" in page
    assert "csrfmiddlewaretoken" in page


def test_posting_a_link_needs_the_csrf_token() -> None:
    link(member("demo"))
    client = Client(enforce_csrf_checks=True)
    assert client.post(LINK).status_code == 403
    assert SignInLink.objects.get().used_at is None


@pytest.mark.parametrize("spoil", ["expired", "inactive", "unknown"])
def test_a_link_that_does_not_work_says_how_to_get_another(spoil: str) -> None:
    user = member("demo")
    if spoil != "unknown":
        link(user, minutes=-1 if spoil == "expired" else 10)
    if spoil == "inactive":
        user.is_active = False
        user.save()
    page = Client().get(LINK)
    assert page.status_code == 410
    assert b"manage.py sign_in_link" in page.content


def test_a_used_link_leads_whoever_is_signed_in_to_the_board() -> None:
    link(member("demo"))
    client = Client()
    client.post(LINK)
    assert client.get(LINK).headers["location"] == "/"


def test_a_page_asks_for_sign_in_and_comes_back() -> None:
    user = User.objects.create_user("ana", password="correct horse battery")
    client = Client()
    asked = client.get("/runs/?query=state:failed")
    assert asked.status_code == 302
    back = client.post(asked.headers["location"], {"username": user.username, "password": "correct horse battery"})
    assert back.status_code == 302
    assert signed_in(client)


def test_a_wrong_password_says_so_and_no_more() -> None:
    User.objects.create_user("ana", password="correct horse battery")
    page = Client().post("/sign-in/", {"username": "ana", "password": "nix"})
    assert b"do not fit together" in page.content
    page = Client().post("/sign-in/", {"username": "nobody", "password": "nix"})
    assert b"do not fit together" in page.content


def test_signing_out_is_a_post() -> None:
    client = Client()
    client.force_login(member())
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert not signed_in(client)


def test_no_sign_in_page_is_kept_by_caches(settings: Any) -> None:
    link(member("demo"))
    assert "no-store" in Client().get(LINK).headers["cache-control"]
