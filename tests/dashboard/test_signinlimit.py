"""Sign-in: a handful of tries from one place, then a wait; others are not kept out, and success forgets slips."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard import signinlimit
from dashboard.models import Audit, SignInTry
from dashboard.signinlimit import PAIR, WINDOW

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana", password=PASSWORD)


def tried(password: str, address: str = "192.0.2.1", name: str = "ana") -> int:
    form = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/sign-in/", form).status_code


def test_after_five_wrong_tries_the_right_password_has_to_wait_too(ana: User) -> None:
    assert [tried("wrong") for _ in range(PAIR)] == [200] * PAIR
    answer = Client(REMOTE_ADDR="192.0.2.1").post("/sign-in/", {"username": "ana", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW / 1_000_000
    assert b"Too many tries" in answer.content


def test_other_places_and_other_people_are_not_kept_out(ana: User) -> None:
    for _ in range(PAIR + 1):
        tried("wrong")
    assert tried(PASSWORD, "192.0.2.2") == 302
    User.objects.create_user("bea", password=PASSWORD)
    assert tried(PASSWORD, name="bea") == 302


def test_one_address_cannot_try_one_password_on_everybody(ana: User) -> None:
    answers = [tried("wrong", name=f"person-{number}") for number in range(signinlimit.ADDRESS + 1)]
    assert answers[-1] == 429


def test_success_forgets_slips_and_time_does_too(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(PAIR - 1):
        tried("wrong")
    assert tried(PASSWORD) == 302
    assert not SignInTry.objects.exists()
    for _ in range(PAIR + 1):
        tried("wrong")
    SignInTry.objects.update(at=1)
    assert tried(PASSWORD) == 302


def test_who_waits_does_not_make_the_wait_longer(ana: User) -> None:
    for _ in range(PAIR + 20):
        tried("wrong")
    assert SignInTry.objects.count() == 3 * PAIR


def test_behind_a_trusted_proxy_the_last_hop_counts_and_else_its_word_does_not(ana: User, settings: object) -> None:
    for number in range(PAIR + 1):
        client = Client(REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        answer = client.post("/sign-in/", {"username": "ana", "password": "wrong"})
    assert answer.status_code == 429
    settings.LINESIDE_TRUST_PROXY = True  # type: ignore[attr-defined]
    client = Client(REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": "203.0.113.9"})
    assert client.post("/sign-in/", {"username": "ana", "password": PASSWORD}).status_code == 302


def test_the_admin_has_no_form_of_its_own_that_knows_no_limit() -> None:
    assert Client().get("/admin/login/?next=/admin/").headers["location"] == "/sign-in/?next=/admin/"


def test_coming_and_going_is_in_the_trail(ana: User) -> None:
    client = Client()
    client.post("/sign-in/", {"username": "ana", "password": PASSWORD})
    client.post("/sign-out/")
    assert list(Audit.objects.order_by("number").values_list("act", flat=True)) == ["session.begun", "session.ended"]
    assert set(Audit.objects.values_list("subject", flat=True)) == {f"user/{ana.pk}"}


def test_no_session_without_its_entry(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr("dashboard.entry.enter", broken)
    client = Client(raise_request_exception=False)
    assert client.post("/sign-in/", {"username": "ana", "password": PASSWORD}).status_code == 500
    assert "_auth_user_id" not in client.session
