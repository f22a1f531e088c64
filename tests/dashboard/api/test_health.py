"""Health: what is behind, what is unsent, and when ingest stands still; the freshness stamp is made of it."""

from typing import Any

import pytest

from dashboard.api.health import SECOND, health_row, log_kind
from dashboard.models import Decision, Gap, Worker
from tests.dashboard.cast import ask
from tests.dashboard.scenes import NOW, dead_letter, group, position, worker

pytestmark = pytest.mark.django_db


def test_a_log_that_is_read_to_its_end_is_ok() -> None:
    worker(NOW + SECOND)
    position(last_at=NOW - 60 * SECOND)
    row = health_row(NOW)
    assert (row["status"], row["behind_records"], row["behind_seconds"], row["standing_still"]) == ("ok", 0, 0.0, False)
    assert row["shown_at"] == row["log_end_at"] == "2026-09-21T14:12:20.000000Z"


def test_a_batch_under_way_is_not_behind() -> None:
    worker(NOW + SECOND)
    position(next_offset=5, end_offset=10, end_at=NOW - SECOND // 2)
    assert health_row(NOW)["behind_records"] == 0


def test_what_was_seen_at_the_end_and_is_still_unread_is_behind() -> None:
    worker(NOW + SECOND)
    position(next_offset=5, end_offset=10, end_at=NOW - 2 * SECOND, last_at=NOW - 7 * SECOND)
    position(partition=1, next_offset=9, end_offset=10, end_at=NOW - 2 * SECOND, last_at=NOW - 3 * SECOND)
    row = health_row(NOW)
    assert (row["behind_records"], row["behind_seconds"]) == (6, 7.0)


def test_without_a_worker_ingest_stands_still_and_says_so() -> None:
    worker(NOW - SECOND)
    position()
    row = health_row(NOW)
    assert (row["status"], row["standing_still"]) == ("down", True)
    assert "no worker is running" in row["trouble"]


def test_far_behind_is_standing_still() -> None:
    worker(NOW + SECOND)
    position(next_offset=5, end_offset=10, end_at=NOW - 2 * SECOND, last_at=NOW - 60 * SECOND)
    row = health_row(NOW)
    assert row["standing_still"]
    assert "1 m 00 s behind" in row["trouble"]


def test_a_log_that_has_not_answered_for_seconds_counts_as_behind() -> None:
    worker(NOW + SECOND)
    position(end_at=NOW - 6 * SECOND)
    row = health_row(NOW)
    assert (row["behind_seconds"], row["standing_still"], row["log"]["reachable"]) == (6.0, False, True)


@pytest.mark.parametrize("lease_until", [NOW + SECOND, NOW - SECOND])
def test_a_log_out_of_reach_is_standing_still_whether_or_not_ingest_could_renew_its_lease(lease_until: int) -> None:
    worker(lease_until)
    Worker.objects.create(worker_id="w-1", role="sweep", started_at=NOW, lease_until=NOW + SECOND)
    position(end_at=NOW - 11 * SECOND)
    row = health_row(NOW)
    assert (row["status"], row["standing_still"], row["log"]["reachable"]) == ("down", True, False)
    assert "the log has not answered" in row["trouble"]


def test_before_anything_was_read_nothing_is_known_and_nothing_is_wrong() -> None:
    row = health_row(NOW)
    assert (row["behind_seconds"], row["standing_still"], row["status"]) == (None, False, "ok")


def test_lost_records_are_told_on_every_page() -> None:
    worker(NOW + SECOND)
    Gap.objects.create(
        topic="t",
        partition=3,
        shard="12-3",
        kind="truncated",
        expected_offset=1,
        message="1 to 9 are gone.",
        found_at=NOW,
    )
    row = health_row(NOW)
    assert (row["status"], row["trouble"]) == ("degraded", "Records are lost on t-3: 1 to 9 are gone.")


def test_unsent_decisions_are_counted_once_their_undo_window_is_over() -> None:
    worker(NOW + SECOND)
    for number, held in ((1, 0), (2, NOW + SECOND)):
        Decision.objects.create(
            decision_id=f"d{number}", version=number, records=b"", saved_at=NOW - 3 * SECOND, held_until=held
        )
    row = health_row(NOW)
    assert row["relay"] == {"unsent": 1, "oldest_seconds": 3.0}
    assert row["trouble"] == ""


def test_a_decision_that_waits_long_is_told_with_the_reason() -> None:
    worker(NOW + SECOND)
    Decision.objects.create(decision_id="d", records=b"", saved_at=NOW - 60 * SECOND, error="Kafka is unreachable")
    assert "not sent for 1 m 00 s: Kafka is unreachable" in health_row(NOW)["trouble"]


def test_the_rail_counts_what_needs_somebody() -> None:
    ask("ask-1")
    group("payer", "stuck")
    group("writer", "idle")
    dead_letter(1)
    dead_letter(2, state="redriven")
    assert health_row(NOW)["counts"] == {"approvals": 1, "agents": 1, "alerts": 0, "dead": 1}


@pytest.mark.parametrize(
    ("url", "kind"),
    [("sqlite:///x", "embedded"), ("kafka://h:9092", "kafka"), ("https://h", "http"), ("memory:", "memory")],
)
def test_the_kind_of_log_is_a_word(settings: Any, url: str, kind: str) -> None:
    settings.LINESIDE_LOG = url
    assert log_kind() == kind
