"""`manage.py token`: prints a token once, keeps its hash, and says what is wrong."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard.clock import database_now
from dashboard.models import ApiToken, Audit
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db


def made(*arguments: str) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_token_it_prints_works() -> None:
    member("ana", "view_run")
    secret = made("ana")
    assert Client().get("/api/v1/runs", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert secret not in str(ApiToken.objects.values())
    assert Audit.objects.get().act == "token.issued"


def test_scope_name_and_days_are_kept() -> None:
    member("ana")
    made("ana", "--scope", "events", "--scope", "log:coord.run.*", "--name", "agent", "--days", "2")
    token = ApiToken.objects.get()
    assert (token.scope, token.name) == (["events", "log:coord.run.*"], "agent")
    assert token.expires_at is not None
    assert token.expires_at > database_now()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "no active user"),
        (["ana", "--scope", "write"], "is no scope"),
        (["ana", "--days", "0"], "at least 1"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], words: str) -> None:
    member("ana")
    with pytest.raises(CommandError, match=words):
        made(*arguments)
    assert ApiToken.objects.count() == 0
