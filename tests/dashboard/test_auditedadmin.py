"""Rights, tokens and addresses that are given in the admin stand in the audit trail, and nothing secret with them."""

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from dashboard.audit import verify
from dashboard.models import ApiToken, Audit, Webhook
from dashboard.permissions import ensure_roles

pytestmark = pytest.mark.django_db
BOX = "_selected_action"


@pytest.fixture
def boss() -> Client:
    ensure_roles()
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    Audit.chain.all().delete()
    return client


def last() -> tuple[str, Any]:
    entry = Audit.chain.order_by("-number").first()
    assert entry is not None
    assert verify() is None
    return entry.act, msgspec.json.decode(entry.detail)


def person(**fields: Any) -> dict[str, Any]:
    given = {"username": "lena", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return given | fields


def test_a_right_that_is_given_is_entered_before_and_after(boss: Client) -> None:
    lena, role = User.objects.create(username="lena"), Group.objects.get(name="auditor")
    boss.post(f"/admin/auth/user/{lena.pk}/change/", person(groups=[role.pk]))
    act, detail = last()
    assert act == "user.changed"
    assert (detail["name"], detail["before"]["groups"], detail["after"]["groups"]) == ("lena", [], ["auditor"])


def test_what_a_role_may_is_entered(boss: Client) -> None:
    role = Group.objects.get(name="viewer")
    boss.post(f"/admin/auth/group/{role.pk}/change/", {"name": "viewer", "permissions": []})
    act, detail = last()
    assert act == "group.changed"
    assert detail["after"]["permissions"] == []
    assert any("run" in name for name in detail["before"]["permissions"])


def test_a_password_set_by_another_is_entered_without_it(boss: Client) -> None:
    lena = User.objects.create(username="lena")
    words = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}
    answer = boss.post(f"/admin/auth/user/{lena.pk}/password/", words)
    assert answer.status_code == 302
    act, detail = last()
    assert (act, detail) == ("user.password", {"name": "lena"})


def test_tokens_and_webhooks_are_entered_without_their_secrets(boss: Client) -> None:
    lena = User.objects.create(username="lena")
    token = {"user": lena.pk, "name": "report", "scope": '["read"]'}
    boss.post("/admin/dashboard/apitoken/add/", token)
    act, detail = last()
    assert act == "apitoken.made"
    assert ApiToken.objects.get().digest not in str(detail)
    boss.post("/admin/dashboard/webhook/add/", {"name": "chat", "url": "chat.example.org/x", "active": "on"})
    act, detail = last()
    hook = Webhook.objects.get()
    assert (act, detail["after"]["url"]) == ("webhook.made", "https://chat.example.org/x")
    assert hook.secret not in str(detail)


def test_what_is_deleted_one_by_one_or_ticked_is_entered(boss: Client) -> None:
    hooks = [Webhook.objects.create(name=name, url="https://h.example.org", secret="s") for name in "abc"]
    boss.post(f"/admin/dashboard/webhook/{hooks[0].pk}/delete/", {"post": "yes"})
    assert last() == ("webhook.deleted", {"name": "a"})
    ticked = {"action": "delete_selected", BOX: [hook.pk for hook in hooks[1:]], "post": "yes"}
    boss.post("/admin/dashboard/webhook/", ticked)
    assert not Webhook.objects.exists()
    assert list(Audit.chain.values_list("act", flat=True)) == ["webhook.deleted"] * 3
