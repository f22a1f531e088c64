"""Topics: declared against met; a difference is named."""

import pytest

from dashboard.models import Gap
from tests.dashboard.scenes import NOW, position, viewer

pytestmark = pytest.mark.django_db


def test_a_topic_with_other_partitions_than_declared_is_named() -> None:
    position("coord.run.task.commands")
    page = viewer().get("/topics/").content.decode()
    assert "The log has 1 partitions, 12 are declared." in page


def test_a_topic_that_was_never_met_and_one_that_is_not_declared() -> None:
    position("payments.events")
    page = viewer().get("/topics/").content.decode()
    assert "not met yet" in page
    assert "not declared" in page


def test_a_gap_is_told_on_top() -> None:
    where = {"topic": "t", "partition": 3, "shard": "12-3", "kind": "truncated", "expected_offset": 1}
    Gap.objects.create(**where, message="1 to 9 are gone.", found_at=NOW)
    assert viewer().get("/topics/").content.count(b"1 to 9 are gone.") >= 1
