"""The names of pages are a promise."""

import pytest
from django.urls import reverse

NAMES = {
    "board": {},
    "runs": {},
    "run": {"run_id": "r"},
    "task": {"run_id": "r", "task_id": "t"},
    "approvals": {},
    "review": {"approval_id": "a"},
    "agents": {},
    "agent": {"group": "g"},
    "record": {"topic": "t", "partition": 0, "offset": 1},
    "dead-letters": {},
    "audit": {},
    "topics": {},
    "sign-in": {},
    "sign-in-link": {"token": "x"},
    "sign-out": {},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_found_by_its_name(name: str) -> None:
    assert reverse(name, kwargs=NAMES[name]).startswith("/")
