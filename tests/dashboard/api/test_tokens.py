"""Tokens: hashed, bounded by scope and by the user's rights; the review class stays closed."""

import pytest
from django.test import Client, RequestFactory

from dashboard.api.tokens import Access, TokenAuth, open_to_agents, wrong_scope
from dashboard.clock import database_now
from dashboard.models import ApiToken
from tests.dashboard.scenes import member, run

pytestmark = pytest.mark.django_db


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_the_secret_is_nowhere_in_the_table() -> None:
    token, secret = ApiToken.objects.issue(member(), "ci", ["read"], None)
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values())


def test_a_valid_token_brings_its_user() -> None:
    user = member()
    secret = ApiToken.objects.issue(user, "ci", ["read"], None)[1]
    request = RequestFactory().get("/")
    access = TokenAuth().authenticate(request, secret)
    assert access is not None
    assert (request.user, access.user) == (user, user)


def test_an_expired_token_and_one_of_an_inactive_user_are_refused() -> None:
    user = member()
    old = ApiToken.objects.issue(user, "old", ["read"], database_now() - 1)[1]
    assert bearer(old).get("/api/v1/runs").status_code == 401
    good = ApiToken.objects.issue(user, "good", ["read"], None)[1]
    user.is_active = False
    user.save()
    assert bearer(good).get("/api/v1/runs").status_code == 401


def test_a_token_gives_no_more_than_its_user_may() -> None:
    run()
    secret = ApiToken.objects.issue(member("eve"), "ci", ["read"], None)[1]
    assert bearer(secret).get("/api/v1/runs").status_code == 403
    secret = ApiToken.objects.issue(member("ana", "view_run"), "ci", ["read"], None)[1]
    assert bearer(secret).get("/api/v1/runs").status_code == 200


def test_a_token_without_the_word_is_refused_with_the_word() -> None:
    secret = ApiToken.objects.issue(member("ana", "view_run"), "ci", ["events"], None)[1]
    answer = bearer(secret).get("/api/v1/runs")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert "`read`" in answer.json()["detail"]


def test_topics_are_bounded_by_the_patterns_of_the_scope() -> None:
    access = Access(None, ["log:coord.run.task.*"])
    assert access.allows_topic("coord.run.task.events", write=True)
    assert not access.allows_topic("coord.run.tool.events", write=False)


@pytest.mark.parametrize(("rights", "open_"), [((), False), (("view_run",), False), (("steer_run",), True)])
def test_the_log_is_open_to_tokens_of_those_who_may_append(rights: tuple[str, ...], open_: bool) -> None:
    secret = ApiToken.objects.issue(member("ana", *rights), "agent", ["log:*"], None)[1]
    access = TokenAuth().authenticate(RequestFactory().get("/"), secret)
    assert access is not None
    assert access.allows_topic("coord.run.task.events", write=True) is open_
    assert access.allows_topic("coord.run.task.events", write=False) is open_


def test_a_browser_has_no_business_on_the_log() -> None:
    assert not Access(None).allows_topic("coord.run.task.events", write=False)


@pytest.mark.parametrize(
    ("topic", "read", "write"),
    [
        ("coord.run.task.events", True, True),
        ("coord.run.decision.commands", True, False),
        ("coord.review.approval.commands", False, True),
        ("coord.review.approval.events", False, False),
        ("dlq.coord.review", False, False),
        ("dlq.coord.run", True, True),
        ("foreign", True, True),
    ],
)
def test_the_review_class_is_closed_whatever_a_token_says(topic: str, read: bool, write: bool) -> None:
    access = Access(None, ["log:*"])
    assert (access.allows_topic(topic, write=False), access.allows_topic(topic, write=True)) == (read, write)
    assert (open_to_agents(topic, write=False), open_to_agents(topic, write=True)) == (read, write)


def test_scopes_are_checked() -> None:
    assert wrong_scope(["read", "log:coord.*"]) == ""
    assert "write is no scope" in wrong_scope(["read", "write"])
    assert wrong_scope(["log:"]) != ""
