"""The API as a whole: every promised call is in its OpenAPI document, every call needs login but health."""

import pytest
from django.test import Client

from dashboard.api.urls import urlpatterns

PROMISED = {
    ("get", "/api/v1/health"),
    ("get", "/api/v1/runs"),
    ("get", "/api/v1/runs/{run_id}"),
    ("get", "/api/v1/runs/{run_id}/tasks"),
    ("get", "/api/v1/runs/{run_id}/graph"),
    ("get", "/api/v1/runs/{run_id}/joins"),
    ("get", "/api/v1/runs/{run_id}/delays"),
    ("get", "/api/v1/runs/{run_id}/events"),
    ("get", "/api/v1/runs/{run_id}/positions"),
    ("get", "/api/v1/tasks/{task_id}/events"),
    ("get", "/api/v1/records/{topic}/{partition}/{offset}"),
    ("get", "/api/v1/agents"),
    ("get", "/api/v1/agents/{group}"),
    ("get", "/api/v1/approvals"),
    ("get", "/api/v1/approvals/{approval_id}"),
    ("post", "/api/v1/approvals/{approval_id}/decisions"),
    ("post", "/api/v1/events"),
    ("get", "/api/v1/rejected"),
    ("post", "/api/v1/redrives"),
}


@pytest.mark.django_db
def test_the_openapi_document_names_every_promised_call() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    offered = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert offered >= PROMISED


@pytest.mark.django_db
def test_no_read_but_health_and_the_document_is_open_to_all() -> None:
    for method, path in PROMISED - {("get", "/api/v1/health")}:
        address = path.replace("{partition}", "0").replace("{offset}", "0").replace("{", "").replace("}", "")
        answer = getattr(Client(), method)(address)
        assert answer.status_code == 401, address


def test_addresses_that_end_in_an_id_come_last() -> None:
    ends = [str(pattern.pattern).endswith(">") for pattern in urlpatterns]
    assert ends == sorted(ends)
