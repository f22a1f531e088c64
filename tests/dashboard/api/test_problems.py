"""Every error is a problem document with a stable code."""

import pytest
from django.test import Client, RequestFactory

from coordination.errors import CoordinationError, LogUnreachable, MalformedRecord, RecordTooLarge
from dashboard.api.problems import _status as status
from dashboard.api.problems import answer
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MalformedRecord("x", stage="envelope", attribute="ce_id"), 400),
        (MalformedRecord("x", stage="data"), 422),
        (MalformedRecord("x", stage="size"), 413),
        (RecordTooLarge("x"), 413),
        (LogUnreachable("x"), 503),
        (CoordinationError("x"), 409),
    ],
)
def test_errors_of_the_library_have_a_status(error: CoordinationError, expected: int) -> None:
    assert status(error) == expected


def test_a_problem_names_its_code_and_where_it_happened() -> None:
    found = answer(RequestFactory().get("/api/v1/x"), 404, "not_found", "There is nothing.", extra=1)
    assert found["content-type"] == "application/problem+json"
    assert found.status_code == 404
    assert b'"code":"not_found"' in found.content
    assert b'"instance":"/api/v1/x"' in found.content
    assert b'"extra":1' in found.content


def test_whoever_is_not_signed_in_gets_a_problem_and_no_page() -> None:
    found = Client().get("/api/v1/runs")
    assert (found.status_code, found["content-type"]) == (401, "application/problem+json")
    assert found["www-authenticate"].startswith("Bearer")


def test_a_missing_right_is_told() -> None:
    found = signed_in(member("eve")).get("/api/v1/runs")
    assert (found.status_code, found.json()["code"]) == (403, "no_right")


def test_a_wrong_parameter_is_named() -> None:
    found = signed_in(member("eve", "view_run")).get("/api/v1/runs?limit=many")
    assert (found.status_code, found.json()["errors"][0]["field"]) == (422, "limit")


def test_what_does_not_exist_is_not_found() -> None:
    found = signed_in(member("eve", "view_run")).get("/api/v1/runs/nix")
    assert (found.status_code, found.json()["code"]) == (404, "not_found")
