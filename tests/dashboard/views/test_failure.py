"""Rules of the pages for what went wrong: who is to blame, and when to come back."""

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client, RequestFactory

from dashboard.views.failure import failure


def failed(error: Exception, path: str) -> Any:
    try:
        raise error
    except type(error):
        return failure(RequestFactory().get(path))


def test_a_page_says_that_the_database_is_away_and_when_to_ask_again() -> None:
    answer = failed(OperationalError("connection refused"), "/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"The database does not answer" in answer.content
    assert b"connection refused" not in answer.content


def test_a_fault_of_our_own_is_one() -> None:
    answer = failed(ZeroDivisionError("secret"), "/runs/a/")
    assert answer.status_code == 500
    assert b"Something broke" in answer.content
    assert b"secret" not in answer.content
    assert "Retry-After" not in answer


@pytest.mark.parametrize(
    ("error", "status", "code"), [(OperationalError(), 503, "database_away"), (KeyError("x"), 500, "broken")]
)
def test_the_api_says_the_same_as_a_problem_document(error: Exception, status: int, code: str) -> None:
    answer = failed(error, "/api/v1/runs")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert code in answer.content.decode()


def test_it_is_what_django_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("dashboard.views.signin.SignIn.get", lambda self, request: broken(request))
    answer = Client(raise_request_exception=False).get("/sign-in/")
    assert answer.status_code == 503
