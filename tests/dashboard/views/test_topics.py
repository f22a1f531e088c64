"""Topics: declared against actual; a difference, a risk and what is not told are named."""

from typing import Any

import pytest

from coordination.manifest import DAY_MS, TOPICS
from dashboard.clock import database_now
from dashboard.models import BrokerTopic, Gap
from tests.dashboard.scenes import NOW, member, position, signed_in, task, viewer

pytestmark = pytest.mark.django_db
DAY = DAY_MS * 1000


def told(family: str = "run.task.commands", **fields: Any) -> None:
    """What the log told of a topic."""
    declared = TOPICS[family]
    config = declared.config(1) | fields.pop("config", {})
    given: dict[str, Any] = {"partitions": declared.partitions, "replication": 1, "config": config, "taken_at": NOW}
    BrokerTopic.objects.create(topic=f"coord.{family}", **(given | fields))


def page() -> str:
    return viewer().get("/topics/").content.decode()


def test_before_the_log_was_asked_nothing_is_said_of_it() -> None:
    found = page()
    assert "not asked yet" in found
    assert ">as declared<" not in found


def test_what_is_as_declared_says_so_and_what_is_missing_too() -> None:
    told()
    found = page()
    assert "as declared" in found
    assert "missing" in found


def test_a_difference_is_named_with_what_to_do() -> None:
    told(partitions=6, config={"message.timestamp.type": "CreateTime"})
    found = page()
    assert "partitions is 6, declared 12" in found
    assert "message.timestamp.type is CreateTime" in found
    assert "topics --apply" in found


def test_settings_that_may_not_be_read_are_not_taken_for_good_ones() -> None:
    told(config={})
    BrokerTopic.objects.update(config=None)
    assert "settings not told" in page()


def test_a_waiting_task_that_retention_will_delete_is_a_risk_in_words() -> None:
    told()
    task("task-1", state="requested", requested_at=database_now() - 6 * DAY - 3_600_000_000)
    assert "Keeps 7 d, the oldest waiting task is 6 d 1 h old: its record is deleted in 22 h" in page()


def test_rights_that_are_missing_are_told() -> None:
    told("run.decision.commands", rights=["describe", "read"])
    assert "decisions stay saved and are not sent" in page()


def test_a_topic_that_nobody_declared_is_shown() -> None:
    told()
    BrokerTopic.objects.create(topic="coord.payments", partitions=1, replication=1, config={}, taken_at=NOW)
    assert "nobody declared it" in page()


def test_what_ingest_read_stands_beside() -> None:
    told()
    position("coord.run.task.commands", records=1_234)
    assert "1,234" in page()


def test_the_table_is_to_be_had_as_rows_and_as_a_file() -> None:
    told()
    client = viewer()
    assert "/api/v1/topics?format=csv" in client.get("/topics/").content.decode()
    rows = client.get("/api/v1/topics").json()["items"]
    assert next(row["state"] for row in rows if row["name"] == "coord.run.task.commands") == "as declared"
    file = client.get("/api/v1/topics?format=csv").content.decode()
    assert file.count("coord.run.task.commands") >= 1
    assert signed_in(member("eve", "view_run")).get("/api/v1/topics").status_code == 403


def test_a_gap_is_told_on_top() -> None:
    where = {"topic": "t", "partition": 3, "shard": "12-3", "kind": "truncated", "expected_offset": 1}
    Gap.objects.create(**where, message="1 to 9 are gone.", found_at=NOW)
    assert viewer().get("/topics/").content.count(b"1 to 9 are gone.") >= 1


def test_it_needs_the_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/topics/").status_code == 403
