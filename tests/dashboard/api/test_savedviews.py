"""Saved views: kept on the server, shared with those who may see the same, deleted by their owner alone."""

from typing import Any

import pytest
from django.test import Client

from dashboard.models import ApiToken, SavedView
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db


def save(client: Client, **given: Any) -> Any:
    body = {"page": "runs", "name": "Failed", "query": "state:failed"} | given
    return client.post("/api/v1/views", body, content_type="application/json")


def names(client: Client, page: str = "runs") -> set[str]:
    return {row["name"] for row in client.get(f"/api/v1/views?page={page}").json()["items"]}


def test_a_view_is_its_owners_until_it_is_shared() -> None:
    lena, max_ = signed_in(member("lena", "view_run")), signed_in(member("max", "view_run"))
    assert save(lena).status_code == 201
    assert (names(lena), names(max_)) == ({"Failed"}, set())
    assert save(lena, shared=True).json()["shared"] is True
    assert names(max_) == {"Failed"}
    assert SavedView.objects.count() == 1


def test_others_see_whose_it_is_and_cannot_delete_it() -> None:
    lena, max_ = signed_in(member("lena", "view_run")), signed_in(member("max", "view_run"))
    number = save(lena, shared=True).json()["id"]
    (row,) = max_.get("/api/v1/views?page=runs").json()["items"]
    assert (row["owner"], row["mine"], row["href"]) == ("lena", False, "?query=state%3Afailed")
    assert max_.delete(f"/api/v1/views/{number}").status_code == 404
    assert lena.delete(f"/api/v1/views/{number}").status_code == 200
    assert names(lena) == set()


def test_a_line_that_is_not_understood_is_not_kept() -> None:
    refused = save(signed_in(member("lena", "view_run")), query="colour:red")
    assert (refused.status_code, refused.json()["at"]) == (400, 0)
    assert SavedView.objects.count() == 0


@pytest.mark.parametrize("given", [{"name": " "}, {"name": "n" * 61}, {"query": ""}, {"page": "nowhere"}])
def test_a_view_needs_a_name_a_line_and_a_page(given: dict[str, str]) -> None:
    assert save(signed_in(member("lena", "view_run")), **given).status_code == 422


def test_rights_are_those_of_the_page() -> None:
    lena = signed_in(member("lena", "view_run"))
    assert save(lena, page="audit", query="who:lena").status_code == 403
    assert lena.get("/api/v1/views?page=audit").status_code == 403
    assert lena.get("/api/v1/completions?on=audit&query=who:").status_code == 403
    assert lena.get("/api/v1/completions?on=runs&query=state:fa").json()["items"] == [{"text": "failed", "note": ""}]


def test_there_is_an_end_to_what_one_person_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.savedviews.MOST", 2)
    lena = signed_in(member("lena", "view_run"))
    assert [save(lena, name=name).status_code for name in ("a", "b", "c", "a")] == [201, 201, 422, 201]


def test_a_token_that_may_only_read_keeps_nothing() -> None:
    _, secret = ApiToken.objects.issue(member("lena", "view_run"), "t", ["read"], None)
    answer = Client().post(
        "/api/v1/views",
        {"page": "runs", "name": "a", "query": "x"},
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 403
