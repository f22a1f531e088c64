"""The query line of the audit trail."""

import pytest

from coordination.subjects import AUDIT
from dashboard.api.auditfilter import _KEYS, audit_entries
from dashboard.audit import enter
from dashboard.clock import database_now
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db


def test_every_key_has_a_meaning() -> None:
    assert set(_KEYS) == set(AUDIT.fields) | {""}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {1, 2, 3}),
        ("who:lena", {1, 3}),
        ("who:len*", {1, 3}),
        ("who:timer", {2}),
        ("-who:lena", {2}),
        ("act:task.*", {1}),
        ("about:approval/a-1", {2, 3}),
        ("approval:a-1", {2, 3}),
        ("task:t-1", {1}),
        ("run:run-1", {1}),
        ("number>1", {2, 3}),
        ("age<1h", {1, 2, 3}),
        ("age>1h", set()),
        ("lena granted", {3}),
        ("CANCEL", {1}),
    ],
)
def test_a_line_filters(line: str, expected: set[int]) -> None:
    lena = f"user-{member('lena').pk}"
    enter(lena, "task.cancel", "task/t-1", {"run_id": "run-1", "reason": "x"})
    enter("timer", "approval.expired", "approval/a-1")
    enter(lena, "approval.granted", "approval/a-1", {"run_id": "run-2"})
    assert {entry.number for entry in audit_entries(line, database_now())} == expected


def test_page_api_and_file_understand_the_same_line() -> None:
    for number in range(4):
        enter("timer", "task.cancel" if number % 2 else "approval.vote", f"task/t-{number}")
    client = signed_in(member("kim", "view_audit"))
    page = client.get("/audit/", {"query": "act:task.* task:t-3"}).content
    assert (b"task/t-3" in page, b"task/t-1" in page) == (True, False)
    items = client.get("/api/v1/audit", {"query": "act:task.* task:t-3"}).json()["items"]
    assert [entry["number"] for entry in items] == [4]
    lines = client.get("/audit/audit.ndjson", {"query": "act:task.* task:t-3"}).content.splitlines()
    assert len(lines) == 1
    assert client.get("/api/v1/audit", {"query": "colour:red"}).status_code == 400
