"""Links that sign in once: looking at them uses nothing up, the first use does, and only hashes are kept."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from dashboard.models import SignInLink
from dashboard.permissions import ROLES
from dashboard.signinlinks import ensure_user, new_link

pytestmark = pytest.mark.django_db


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_the_user_of_the_demo_holds_every_role_and_no_password() -> None:
    user = ensure_user("demo")
    assert {group.name for group in user.groups.all()} >= set(ROLES)
    assert not user.has_usable_password()
    assert ensure_user("demo").pk == user.pk


def test_a_link_signs_in_once() -> None:
    ensure_user("demo")
    path = path_of(new_link("demo", port=8000))
    first, second = Client(), Client()
    assert first.post(path).status_code == 302
    assert first.get("/").status_code == 200
    assert second.post(path).status_code == 410


def test_looking_at_a_link_does_not_use_it_up() -> None:
    ensure_user("demo")
    path = path_of(new_link("demo", port=8000))
    client = Client()
    for _ in range(3):
        assert client.head(path).status_code == 200
        assert client.get(path).status_code == 200
    assert client.post(path).status_code == 302


def test_the_secret_is_not_kept() -> None:
    ensure_user("demo")
    secret = new_link("demo", port=8000).rsplit("/", 1)[1]
    assert secret not in str(SignInLink.objects.values_list())


def test_there_is_no_link_for_nobody() -> None:
    with pytest.raises(get_user_model().DoesNotExist):
        new_link("nobody", port=8000)
