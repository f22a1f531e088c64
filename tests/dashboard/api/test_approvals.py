"""The calls of approvals: 201 with a receipt, 409 with who won, 422 with what changed."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from coordination.approvals import content_hash
from dashboard.models import ApiToken, Decision
from tests.dashboard.cast import PAY, ask
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db
HASH = content_hash(PAY)
BODY = {"decision": "approve", "request_version": 1, "content_hash": HASH}
PATH = "/api/v1/approvals/ask-1/decisions"


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def reviewer(name: str) -> User:
    return member(name, "view_approval", "decide_approval")


def post(client: Client, body: dict[str, Any], key: str = "", path: str = PATH) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(path, body, content_type="application/json", headers=headers)


def test_a_decision_is_answered_with_its_receipt() -> None:
    ask("ask-1")
    answer = post(signed_in(reviewer("ana")), BODY)
    assert answer.status_code == 201
    receipt = answer.json()
    assert receipt["saved_at"] is not None
    assert (receipt["published"], receipt["applied_at"], receipt["refused"]) == (None, None, None)
    assert receipt["final"]


def test_the_same_key_is_the_same_decision() -> None:
    ask("ask-1")
    client = signed_in(reviewer("ana"))
    first, second = post(client, BODY, "k-1"), post(client, BODY, "k-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["decision_id"] == second.json()["decision_id"]
    assert Decision.objects.count() == 1


def test_who_comes_second_hears_who_won() -> None:
    ask("ask-1")
    post(signed_in(reviewer("ana")), BODY | {"decision": "reject", "comment": "too much"})
    answer = post(signed_in(reviewer("bo")), BODY)
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["winner"], problem["decision"], problem["reason"]) == ("ana", "reject", "too much")
    assert problem["at"] is not None
    assert answer["content-type"] == "application/problem+json"


def test_a_changed_request_is_told_with_both_versions() -> None:
    ask("ask-1")
    ask("ask-1", version=2, action=PAY | {"args": {"amount": "1"}})
    answer = post(signed_in(reviewer("ana")), BODY)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["old_version"], problem["new_version"]) == (1, 2)
    assert problem["diff"]["after"]["args"] == {"amount": "1"}


def test_a_decision_needs_the_right() -> None:
    ask("ask-1")
    answer = post(signed_in(member("eve", "view_approval")), BODY)
    assert answer.status_code == 403
    assert Decision.objects.count() == 0


def test_a_request_nobody_asked_is_not_found() -> None:
    assert post(signed_in(reviewer("ana")), BODY, path="/api/v1/approvals/nix/decisions").status_code == 404


@pytest.mark.parametrize("wrong", [{"decision": "perhaps"}, {"request_version": 0}, {"content_hash": None}])
def test_a_body_that_makes_no_sense_names_the_field(wrong: dict[str, Any]) -> None:
    ask("ask-1")
    answer = post(signed_in(reviewer("ana")), BODY | wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(next(iter(wrong)))


def test_a_browser_needs_the_csrf_token() -> None:
    ask("ask-1")
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer("ana"))
    assert post(client, BODY).status_code == 403
    assert Decision.objects.count() == 0


def test_a_token_needs_the_scope_and_no_csrf_token() -> None:
    ask("ask-1")
    user = reviewer("ana")
    client = Client(enforce_csrf_checks=True)
    reading = ApiToken.objects.issue(user, "r", ["read"], None)[1]
    deciding = ApiToken.objects.issue(user, "d", ["read", "decide"], None)[1]
    for secret, status in ((reading, 403), (deciding, 201)):
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.post(PATH, BODY, content_type="application/json", headers=headers).status_code == status


def test_a_decision_can_be_undone_while_it_is_held() -> None:
    ask("ask-1")
    client = signed_in(reviewer("ana"))
    decision_id = post(client, BODY).json()["decision_id"]
    answer = client.post(f"/api/v1/decisions/{decision_id}/undo", content_type="application/json")
    assert (answer.status_code, answer.json()["approval_state"]) == (200, "pending")
    assert [each["id"] for each in client.get("/api/v1/approvals").json()["items"]] == ["ask-1"]


def test_what_was_not_published_cannot_be_revoked() -> None:
    ask("ask-1")
    client = signed_in(reviewer("ana"))
    decision_id = post(client, BODY).json()["decision_id"]
    answer = client.post(f"/api/v1/decisions/{decision_id}/revoke", {"reason": "oops"}, content_type="application/json")
    assert answer.status_code == 403


def test_a_claim_names_its_holder() -> None:
    ask("ask-1")
    first, second = signed_in(reviewer("ana")), signed_in(reviewer("bo"))
    for client in (first, second):
        answer = client.post("/api/v1/approvals/ask-1/claims", content_type="application/json")
        assert (answer.status_code, answer.json()["person"]) == (200, "ana")


def test_the_queue_and_one_request_are_readable() -> None:
    ask("ask-1")
    client = signed_in(member("eve", "view_approval", "view_segment"))
    assert client.get("/api/v1/approvals").json()["items"][0]["approval_id"] == "ask-1"
    assert client.get("/api/v1/approvals/ask-1").json()["action"]["args"] == PAY["args"]
    assert client.get("/api/v1/approvals?state=decided").json()["items"] == []
    assert client.get("/api/v1/approvals?state=withdrawn").json()["items"] == []


def test_without_the_right_to_payloads_nobody_reads_the_arguments() -> None:
    ask("ask-1")
    answer = signed_in(member("eve", "view_approval")).get("/api/v1/approvals/ask-1")
    assert answer.json()["action"] == {"name": PAY["name"], "target": PAY["target"]}
    assert answer.json()["will_run"] is None
    assert b"18240.50" not in answer.content


def test_a_state_that_does_not_exist_is_refused() -> None:
    assert signed_in(member("eve", "view_approval")).get("/api/v1/approvals?state=tired").status_code == 400
