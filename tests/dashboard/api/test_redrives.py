"""The calls about redrives: a dry run first, the same order once, and what became of it."""

from typing import Any

import pytest
from django.test import Client

from dashboard.models import DeadLetter, Redrive
from tests.dashboard.redrive.letters import letter
from tests.dashboard.scenes import member, rejected, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    return signed_in(member("lena", "view_deadletter", "redrive_deadletter"))


def post(client: Client, status: int, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/redrives", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_without_a_plan_nothing_is_done(operator: Client) -> None:
    letter()
    dry = post(operator, 200, query="agent:payer")
    assert (dry["dry_run"], dry["letters"]) == (True, 1)
    assert post(operator, 400, query="agent:payer", dry_run=False)["code"] == "no_plan"
    assert not Redrive.objects.exists()


def test_one_a_filter_or_all_are_chosen_and_silence_is_not_all(operator: Client) -> None:
    first = letter("task-1", 1)
    letter("task-2", 2)
    assert post(operator, 200, ids=[f"d{first.pk}"])["letters"] == 1
    assert post(operator, 200, query="task:task-2")["letters"] == 1
    assert post(operator, 200, all=True)["letters"] == 2
    assert post(operator, 400)["code"] == "nothing_chosen"
    assert post(operator, 400, ids=["r1"])["code"] == "bad_ids"
    assert post(operator, 400, query="colour:red")["code"] == "bad_query"


def test_an_order_is_saved_once_and_can_be_read(operator: Client) -> None:
    letter()
    dry = post(operator, 200, all=True)
    order = {"all": True, "dry_run": False, "plan": dry["plan"], "redrive_id": dry["redrive_id"], "reason": "fixed"}
    made = [post(operator, 202, **order) for _ in range(2)]
    assert made[0] == made[1]
    assert Redrive.objects.count() == 1
    assert operator.get("/api/v1/redrives").json()["items"][0]["standing"] == "1 letter: 1 under way"
    (item,) = operator.get(f"/api/v1/redrives/{dry['redrive_id']}/items").json()["items"]
    assert (item["state"], item["topic"], item["partition"]) == ("saved", "coord.run.task.commands", 3)
    assert b"1 letter" in operator.get(made[0]["url"]).content


def test_letters_that_changed_answer_with_the_new_plan(operator: Client) -> None:
    letter("task-1", 1)
    dry = post(operator, 200, all=True)
    letter("task-2", 2)
    lost = post(operator, 409, all=True, dry_run=False, plan=dry["plan"], redrive_id="x")
    assert (lost["code"], lost["letters"]) == ("plan_changed", 2)


def test_a_discard_settles(operator: Client) -> None:
    letter()
    dry = post(operator, 200, all=True, act="discard")
    assert post(operator, 200, all=True, act="discard", dry_run=False, plan=dry["plan"])["letters"] == 1
    assert DeadLetter.objects.get().state == "discarded"


def test_errors_are_grouped_whatever_numbers_they_name(operator: Client) -> None:
    letter("task-1", 1)
    letter("task-2", 2)
    DeadLetter.objects.filter(pk=letter("task-3", 3).pk).update(fingerprint="other", state="discarded")
    rejected(1, fingerprint="f")
    items = operator.get("/api/v1/errors").json()["items"]
    assert [(row["sort"], row["count"], row["open"]) for row in items] == [
        ("dead", 2, 2),
        ("dead", 1, 0),
        ("rejected", 1, 0),
    ]
    (again,) = operator.get("/api/v1/errors", {"query": items[0]["query"]}).json()["items"]
    assert again["count"] == 2


def test_it_needs_the_right() -> None:
    letter()
    assert post(signed_in(member("eve", "view_deadletter")), 403, all=True)["code"] == "no_right"
