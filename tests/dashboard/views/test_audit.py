"""The audit trail: newest first, people by name, a broken chain named on the page."""

import pytest

from dashboard.audit import enter
from dashboard.models import Audit
from tests.dashboard.scenes import member, signed_in

pytestmark = pytest.mark.django_db


def test_entries_are_shown_with_the_name_behind_the_id() -> None:
    ana = member("ana")
    enter(f"user-{ana.pk}", "approval.decided", "approval/ask-1", {"decision": "approve"})
    page = signed_in(member("kim", "view_audit")).get("/audit/").content.decode()
    assert "<b>ana</b>" in page
    assert "decision approve" in page
    assert "The chain holds on this page" in page


def test_what_is_nested_in_the_detail_reads_as_words() -> None:
    after = {"classes": [], "paths": [{"path": "**.title", "types": "*"}], "headers": ["a", "b"], "runs": None}
    enter("timer", "policy.changed", "policy/masking", {"before": None, "after": after})
    page = signed_in(member("kim", "view_audit")).get("/audit/").content.decode()
    assert "after (headers (a, b), paths (path **.title, types *))" in page


def test_a_changed_entry_is_named() -> None:
    for number in range(3):
        enter("user-1", "act", f"approval/{number}")
    Audit.objects.filter(number=2).update(act="another act")
    page = signed_in(member("kim", "view_audit")).get("/audit/").content
    assert b"entry 2 was changed after it was written" in page


def test_older_entries_are_a_page_away() -> None:
    for number in range(101):
        enter("user-1", "act", f"approval/{number}")
    client = signed_in(member("kim", "view_audit"))
    assert b"?before=2" in client.get("/audit/").content
    assert b"approval/0" in client.get("/audit/?before=2").content


def test_entries_are_found_by_words() -> None:
    enter("user-1", "approval.decided", "approval/one")
    enter("user-1", "task.cancel", "task/two")
    page = signed_in(member("kim", "view_audit")).get("/audit/?query=task.").content
    assert b"task/two" in page
    assert b"approval/one" not in page


def test_the_trail_needs_its_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/audit/").status_code == 403
