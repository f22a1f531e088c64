"""Schemas: every declared type is there with what was read of each version; failing and unknown ones come first."""

import pytest

from coordination.events import CATALOGUE
from dashboard.models import TypeCount
from tests.dashboard.scenes import member, rejected, signed_in, viewer

pytestmark = pytest.mark.django_db


def count(kind: str, version: str = "1", *, shard: str = "12-0", records: int = 1, failed: int = 0) -> None:
    TypeCount.objects.create(
        type=kind, version=version, shard=shard, records=records, rejected=failed, first_at=1, last_at=2
    )


def test_every_declared_type_is_there_before_anything_was_read() -> None:
    page = viewer().get("/schemas/")
    assert {row["name"] for row in page.context["types"]} == set(CATALOGUE)
    assert page.context["tally"] == {"failing": 0, "unknown": 0, "read": 0, "unread": len(CATALOGUE)}


def test_counts_are_summed_over_shards_and_told_by_version() -> None:
    for shard, version, records in (("12-0", "1.0", 4), ("12-1", "1.0", 5), ("12-1", "1.1", 2)):
        count("coordination.task.started", version, shard=shard, records=records)
    row = next(row for row in viewer().get("/schemas/").context["types"] if row["name"] == "task.started")
    assert (row["records"], row["versions"]) == (11, [("1.0", 9), ("1.1", 2)])
    assert (row["state"], row["declared"]) == ("read", ["1.0"])


def test_failing_types_come_first_then_those_nobody_declared() -> None:
    count("coordination.task.failed", failed=3)
    count("com.example.thing")
    rejected(7, reason="data.output is no text")
    page = viewer().get("/schemas/")
    assert [row["name"] for row in page.context["types"][:2]] == ["task.failed", "com.example.thing"]
    assert b"data.output is no text" in page.content


def test_it_is_for_those_who_may_see_it() -> None:
    assert signed_in(member("eve", "view_run")).get("/schemas/").status_code == 403
