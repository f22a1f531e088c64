"""Freshness: somebody reads, and nothing is unread."""

import pytest

from dashboard.clock import database_now
from dashboard.models import Gap, Position, Worker
from dashboard.sweep.freshness import ingest_fresh
from tests.dashboard.cast import SECOND

pytestmark = pytest.mark.django_db


def test_ingest_is_fresh_when_somebody_reads_and_nothing_is_unread() -> None:
    now = database_now()
    assert not ingest_fresh(now)
    Worker.objects.create(worker_id="w", role="ingest", started_at=0, lease_until=now + SECOND)
    position = Position.objects.create(topic="t", partition=0, shard="1-0", next_offset=5, end_offset=5, end_at=now)
    assert ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_offset=6, end_at=now - 2 * SECOND)
    assert not ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_offset=5, end_at=now - 60 * SECOND)
    assert not ingest_fresh(now)
    Position.objects.filter(pk=position.pk).update(end_at=now)
    Gap.objects.create(
        topic="t", partition=0, shard="1-0", kind="truncated", expected_offset=1, message="", found_at=now
    )
    assert not ingest_fresh(now)
