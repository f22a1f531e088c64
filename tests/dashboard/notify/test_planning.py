"""Each thing that happens is told once to each person it concerns, and to every webhook."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from coordination.instants import moment
from dashboard.clock import database_now
from dashboard.models import Notice, NotificationChoice, Webhook
from dashboard.notify.planning import plan
from dashboard.sweep.adoption import adopt_new
from dashboard.sweep.timers import take_due
from tests.dashboard.cast import SECOND, ask, person

pytestmark = pytest.mark.django_db


def asked(**given: Any) -> None:
    ask(**given)
    adopt_new()


def told() -> list[tuple[str, int, str]]:
    found = Notice.objects.order_by("pk").select_related("person", "webhook")
    return [(one.kind, one.version, str(one.webhook or one.person)) for one in found]


def test_a_request_is_told_once_and_its_next_version_again(ana: User) -> None:
    Webhook.objects.create(name="ops", url="http://127.0.0.1:9/", secret="s")
    asked()
    assert (plan(), plan()) == (2, 0)
    asked(version=2)
    plan()
    assert told() == [(kind, version, to) for version in (1, 2) for kind, to in (("asked", "ana"), ("asked", "ops"))]


def test_what_is_handed_up_is_told_too(ana: User) -> None:
    asked(due_at=moment(database_now() - SECOND))
    take_due(fresh=True)
    plan()
    assert ("overdue", 1, "ana") in told()


@pytest.mark.parametrize("why", ["no right", "on behalf", "service", "other group", "switched off", "no address"])
def test_whom_it_does_not_concern_is_not_told(ana: User, why: str) -> None:
    given: dict[str, Any] = {"on_behalf_of": ["ana"]} if why == "on behalf" else {}
    if why == "other group":
        given = {"policy": {"rule": "all", "required_groups": ["finance"]}}
    if why == "no right":
        ana.user_permissions.clear()
    if why == "service":
        ana.groups.set(person("bot", "service").groups.all())
    User.objects.filter(pk=ana.pk).update(
        is_active=why != "switched off", email="" if why == "no address" else ana.email
    )
    asked(**given)
    plan()
    assert told() == []


def test_nobody_is_told_who_did_not_ask_for_it(ana: User) -> None:
    NotificationChoice.objects.update(email=False)
    asked()
    assert plan() == 0
