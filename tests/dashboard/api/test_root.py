"""The guard of every call: the person's right and the token's word, and answers that keep all of a row."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from dashboard.api.problems import Problem
from dashboard.api.root import allowed, written
from dashboard.api.tokens import Access


def may(person: Any) -> bool:
    """Look."""
    return bool(person.may)


@allowed(may, "read")
def call(request: HttpRequest) -> dict[str, Any]:
    """A call."""
    return {"a": 1}


@allowed(may, "read")
def made(request: HttpRequest) -> tuple[int, dict[str, Any]]:
    """A call that makes something."""
    return 201, {"a": 1}


def request(may_look: bool = True, scope: list[str] | None = None) -> Any:
    return SimpleNamespace(method="GET", GET={}, auth=Access(SimpleNamespace(may=may_look), scope))


def test_an_answer_is_json_with_the_status_of_the_call() -> None:
    assert json.loads(call(request()).content) == {"a": 1}
    assert made(request()).status_code == 201


def test_right_and_word_are_both_needed() -> None:
    with pytest.raises(PermissionDenied, match="Look"):
        call(request(may_look=False))
    with pytest.raises(Problem):
        call(request(scope=["events"]))
    assert call(request(scope=["read"])).status_code == 200


def test_what_is_not_promised_travels_too() -> None:
    assert json.loads(written({"promised": 1, "more": [1]}, 202).content) == {"promised": 1, "more": [1]}
