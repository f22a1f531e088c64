"""Secrets are kept as hashes; a token is good until it expires or its user is switched off."""

import pytest
from django.contrib.auth import get_user_model

from dashboard.models import ApiToken
from dashboard.models.access import TOKEN_PREFIX

pytestmark = pytest.mark.django_db
NOW = 1_790_000_000_000_000


@pytest.fixture
def user():
    return get_user_model().objects.create_user("mona")


def test_the_secret_is_shown_once_and_only_its_hash_is_kept(user):
    token, secret = ApiToken.objects.issue(user, "ci", ["read"], None)
    assert secret.startswith(TOKEN_PREFIX)
    assert len(secret) > 45
    assert secret not in str(token.__dict__)
    assert ApiToken.objects.find(secret, now=NOW) == token
    assert str(token) == "ci of mona"


def test_two_tokens_have_two_secrets(user):
    assert len({ApiToken.objects.issue(user, "t", [], None)[1] for _ in range(5)}) == 5


@pytest.mark.parametrize(("expires_at", "good"), [(None, True), (NOW + 1, True), (NOW, False), (NOW - 1, False)])
def test_it_is_good_until_it_expires(user, expires_at, good):
    _, secret = ApiToken.objects.issue(user, "t", [], expires_at)
    assert bool(ApiToken.objects.find(secret, now=NOW)) is good


def test_a_user_who_is_switched_off_has_no_tokens(user):
    _, secret = ApiToken.objects.issue(user, "t", [], None)
    user.is_active = False
    user.save()
    assert ApiToken.objects.find(secret, now=NOW) is None


@pytest.mark.parametrize("wrong", ["", "lineside_", "x" * 60])
def test_nothing_else_is_a_token(user, wrong):
    ApiToken.objects.issue(user, "t", [], None)
    assert ApiToken.objects.find(wrong, now=NOW) is None
