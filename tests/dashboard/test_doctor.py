"""Rules of `doctor`: everything an installation rests on is looked at, and each finding says what to do."""

import asyncio
import io
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from coordination.eventlog import TopicSpec
from coordination.sqlitelog import SqliteLog
from dashboard.clock import database_now
from dashboard.doctor import channels, database, installation, traffic
from dashboard.doctor.finding import Finding
from dashboard.models import Batch, Decision, Gap, Position, Rejected, Segment, Worker
from dashboard.segments import SEGMENTS_A_BATCH
from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer

SECOND = 1_000_000


@pytest.fixture
def sound(tmp_path: Path, settings: Any, transactional_db: None) -> Path:
    """An installation that lacks nothing but workers; its state folder."""
    tmp_path.chmod(0o700)
    settings.LINESIDE_STATE = tmp_path
    settings.LINESIDE_LOG = f"sqlite://{tmp_path}/log.sqlite3"
    call_command("topics", "--apply", verbosity=0)
    return tmp_path


def told(*arguments: str) -> list[str]:
    """The lines of a doctor that finds nothing broken."""
    out = io.StringIO()
    call_command("doctor", *arguments, stdout=out)
    return out.getvalue().splitlines()


def faults() -> list[str]:
    """The faults of a doctor that finds some."""
    out = io.StringIO()
    with pytest.raises(CommandError, match="fault"):
        call_command("doctor", stdout=out)
    return [line for line in out.getvalue().splitlines() if line.startswith("fault")]


def only(examination: Callable[[], Iterator[Finding]]) -> Finding:
    (finding,) = examination()
    return finding


def test_a_sound_installation_has_no_fault_and_every_part_is_named(sound: Path) -> None:
    lines = told()
    assert lines[-1].startswith("Nothing is broken; 1 doubts")
    for about in (
        "settings",
        "state folder",
        "channel layer",
        "database",
        "clock",
        "ingest",
        "relay",
        "topics",
        "rights",
    ):
        assert any(line.startswith("ok") and f" {about}: " in line for line in lines), about
    assert any(line.startswith("doubt") and "workers: nobody does ingest and relay → Start" in line for line in lines)


def test_quiet_tells_only_what_is_not_well(sound: Path) -> None:
    assert [line.split()[0] for line in told("--verbosity", "0")] == ["doubt"]


def test_every_finding_that_is_not_well_says_what_to_do(sound: Path, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.LINESIDE_LOCAL = ["*"], False
    settings.LINESIDE_LOG = "kafka://127.0.0.1:1?timeout=1"
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=out)
    bad = [line for line in out.getvalue().splitlines() if not line.startswith("ok")]
    assert len(bad) > 4
    assert all(" → " in line for line in bad)


def test_a_log_out_of_reach_is_a_fault_and_the_rest_is_still_examined(sound: Path, settings: Any) -> None:
    settings.LINESIDE_LOG = "kafka://127.0.0.1:1?timeout=1"
    (line,) = faults()
    assert "log: " in line
    assert "127.0.0.1:1" in line


def test_missing_topics_are_a_fault(sound: Path, settings: Any) -> None:
    settings.LINESIDE_LOG = f"sqlite://{sound}/empty.sqlite3"
    (line,) = faults()
    assert line.startswith("fault  topics: 18 are missing: coord.run.")


def test_a_topic_that_differs_is_a_doubt(sound: Path, settings: Any) -> None:
    other = sound / "differs.sqlite3"
    asyncio.run(make_topics(other, [TopicSpec("coord.run.task.events", 3)]))
    settings.LINESIDE_LOG = f"sqlite://{other}"
    with pytest.raises(CommandError, match="1 differ"):
        call_command("topics", "--apply", verbosity=0)
    lines = told()
    assert any(line.startswith("doubt") and "partitions is 3, declared 12" in line for line in lines)


async def make_topics(path: Path, specs: list[TopicSpec]) -> None:
    log = SqliteLog(path)
    await log.create_topics(specs)
    await log.close()


def test_a_migration_that_is_not_applied_is_a_fault(sound: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    try:
        (line,) = faults()
        assert "1 migrations are not applied: sessions.0001_initial → Run `manage.py migrate`." in line
    finally:
        call_command("migrate", "sessions", fake=True, verbosity=0)


def test_a_gap_is_a_fault_that_names_the_command(db: None) -> None:
    gap = Gap.objects.create(
        topic="coord.run.task.events",
        partition=7,
        shard="12-7",
        kind="truncated",
        expected_offset=5,
        message="4 records were deleted before they were read.",
        found_at=1,
    )
    finding = only(traffic.gaps)
    assert finding.state == "fault"
    assert f"manage.py gaps --accept {gap.pk}" in finding.remedy


def test_workers_alive_are_counted_by_role(db: None) -> None:
    until = database_now() + 10 * SECOND
    for number, role in enumerate(("ingest", "ingest", "relay")):
        Worker.objects.create(worker_id=str(number), role=role, started_at=0, lease_until=until)
    assert only(traffic.workers).line == "ok     workers: 2 × ingest, 1 × relay"
    Worker.objects.filter(role="ingest").update(lease_until=1)
    assert only(traffic.workers).state == "doubt"


def test_decisions_that_wait_too_long_are_a_fault_with_their_reason(db: None) -> None:
    now = database_now()
    fields = {"records": b"", "held_until": 0, "error": "no right to write"}
    Decision.objects.create(decision_id="a", saved_at=now - 300 * SECOND, **fields)
    finding = only(traffic.unsent)
    assert finding.state == "fault"
    assert "no right to write" in finding.words
    Decision.objects.update(state=Decision.State.UNDELIVERABLE)
    assert only(traffic.unsent).state == "doubt"
    Decision.objects.update(state=Decision.State.PUBLISHED)
    assert only(traffic.unsent).state == "ok"


def test_rejected_records_are_a_doubt(db: None) -> None:
    fields = {"topic": "t", "partition": 0, "offset": 1, "at": 1, "stage": "envelope", "reason": "no id"}
    Rejected.objects.create(record=b"", **fields)
    assert [finding.state for finding in traffic.behind()] == ["ok", "doubt"]


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (5, "doubt"), (-5, "doubt"), (300, "fault")])
def test_a_host_whose_clock_is_off_is_told(db: None, monkeypatch: Any, seconds: int, state: str) -> None:
    monkeypatch.setattr(database, "database_now", lambda: time.time_ns() // 1000 - seconds * SECOND)
    finding = only(database.clock)
    assert finding.state == state
    if seconds:
        assert ("ahead of" if seconds > 0 else "behind") in finding.words


@pytest.mark.parametrize(("delay", "state"), [(50_000, "ok"), (-10 * SECOND, "doubt")])
def test_a_log_whose_clock_is_ahead_shows_in_what_was_read(db: None, delay: int, state: str) -> None:
    now = database_now()
    Position.objects.create(topic="t", partition=0, shard="1-0", last_at=now - 60 * SECOND)
    batch = Batch.objects.create(worker="w", read_at=now - 60 * SECOND, records=1)
    Segment.objects.create(
        id=batch.pk * SEGMENTS_A_BATCH,
        run_id="",
        first_at=1,
        last_at=batch.read_at - delay,
        records=1,
        tasks=0,
        dictionary_id=0,
        blob=b"",
    )
    assert only(traffic.log_clock).state == state


def test_a_record_from_the_future_shows_the_logs_clock(db: None) -> None:
    Position.objects.create(topic="t", partition=0, shard="1-0", last_at=database_now() + 30 * SECOND)
    assert only(traffic.log_clock).state == "doubt"


@pytest.mark.parametrize(("free", "state"), [(10 << 30, "ok"), (500 << 20, "doubt"), (50 << 20, "fault")])
def test_a_disk_that_fills_up_is_told_in_time(
    tmp_path: Path, settings: Any, monkeypatch: Any, free: int, state: str
) -> None:
    settings.LINESIDE_STATE = tmp_path
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, free))
    assert next(installation.state_folder()).state == state


def test_secrets_that_others_may_read_are_a_fault(tmp_path: Path, settings: Any) -> None:
    settings.LINESIDE_STATE = tmp_path
    tmp_path.chmod(0o700)
    (tmp_path / "secret-key").write_text("x" * 40)
    (tmp_path / "secret-key").chmod(0o644)
    assert [finding.state for finding in installation.state_folder()] == ["ok", "fault"]
    (tmp_path / "secret-key").chmod(0o600)
    assert [finding.state for finding in installation.state_folder()] == ["ok"]
    tmp_path.chmod(0o755)
    assert [finding.state for finding in installation.state_folder()] == ["ok", "doubt"]


def test_a_state_folder_that_is_not_there_is_a_fault(tmp_path: Path, settings: Any) -> None:
    settings.LINESIDE_STATE = tmp_path / "nowhere"
    assert only(installation.state_folder).state == "fault"


def test_a_database_that_refuses_rows_is_a_fault(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
        try:
            finding = only(database.rights)
        finally:
            cursor.execute("PRAGMA query_only=OFF")
    assert finding.state == "fault"
    assert only(database.rights).state == "ok"
    assert not Worker.objects.exists()


def test_an_examination_that_breaks_does_not_hide_the_others(sound: Path, monkeypatch: Any) -> None:
    def broken() -> Iterator[Finding]:
        raise ZeroDivisionError("what nobody thought of")

    monkeypatch.setattr(traffic, "health_row", lambda: broken().__next__())
    lines = faults()
    assert any("behind: it could not be examined: ZeroDivisionError" in line for line in lines)


def test_redis_is_asked_for_a_message_there_and_back(redis_server: RedisServer, settings: Any) -> None:
    settings.LINESIDE_CHANNELS = redis_server.url()
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [redis_server.url()]}}}
    assert "there and back" in only(channels.round_trip).words
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]}}}
    assert only(channels.round_trip).state == "fault"


def test_on_kafka_reach_topics_and_rights_are_examined(
    kafka: KafkaBroker, namespace: str, settings: Any, transactional_db: None
) -> None:
    settings.LINESIDE_LOG = f"kafka://{kafka.bootstrap}"
    settings.LINESIDE_NAMESPACE = namespace
    assert any("topics: 18 are missing" in line for line in faults())
    call_command("topics", "--apply", verbosity=0)
    lines = told()
    for words in (
        "log: kafka answers",
        "14 topics can be read",
        "decisions can be written",
        "transactions can be opened",
    ):
        assert any(line.startswith("ok") and words in line for line in lines), words
    assert any(line.startswith("doubt") and "keep one copy only" in line for line in lines)


def test_ingest_that_stands_still_says_why(db: None) -> None:
    long_ago = database_now() - 600 * SECOND
    Position.objects.create(topic="t", partition=0, shard="1-0", next_offset=1, end_offset=9, end_at=long_ago)
    finding = only(traffic.behind)
    assert finding.state == "doubt"
    assert "no worker is running" in finding.words
