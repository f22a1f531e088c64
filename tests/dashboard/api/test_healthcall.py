"""GET health: everybody hears the status, whoever is signed in the rest."""

import pytest
from django.test import Client

from dashboard.models import ApiToken
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db


def test_without_login_there_is_the_status_alone() -> None:
    answer = Client().get("/api/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_whoever_is_signed_in_sees_log_ingest_and_relay() -> None:
    found = signed_in(member("eve")).get("/api/v1/health").json()
    assert {"status", "log", "ingest", "relay"} <= found.keys()
    assert {"kind", "reachable"} == found["log"].keys()
    assert {"behind_records", "behind_seconds"} == found["ingest"].keys()
    assert {"unsent", "oldest_seconds"} == found["relay"].keys()


def test_a_token_counts_as_login_and_a_wrong_one_is_refused() -> None:
    secret = ApiToken.objects.issue(member("eve"), "x", ["read"], None)[1]
    assert "ingest" in Client().get("/api/v1/health", headers={"Authorization": f"Bearer {secret}"}).json()
    assert Client().get("/api/v1/health", headers={"Authorization": "Bearer nix"}).status_code == 401
