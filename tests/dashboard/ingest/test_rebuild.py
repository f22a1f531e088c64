"""Rules of `rebuild`: the same rows again, beside the live ones, and nothing else is touched."""

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from coordination import projection
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from dashboard.audit import enter
from dashboard.ingest.loop import Ingest
from dashboard.models import Agent, Approval, Audit, FoldPart, Position, Request, Run, RunPart, Segment, Shard, Task
from dashboard.rebuild import NotSwapped, rebuild, refolding
from dashboard.rebuild.fresh import MODELS, SCHEMA, fresh_tables
from dashboard.runtime import make_store, worker_name
from dashboard.shards import Leases
from tests.dashboard.ingest.picture import rows_in_tables, summaries
from tests.traffic import Traffic

EVENTS = 3_000


def quiet(records: int, seconds: float) -> None:
    """Hears how far a rebuild is, and says nothing."""


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return {
            name
            for model in MODELS
            for name in connection.introspection.get_constraints(cursor, model._meta.db_table)
            if not name.startswith("__")
        }


def left_behind() -> list[str]:
    if connection.vendor == "sqlite":
        live = Path(connection.settings_dict["NAME"])
        return [str(path) for path in live.parent.glob(f"{live.name}.rebuild*")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname = %s", [SCHEMA])
        return [name for (name,) in cursor.fetchall()]


def test_rebuilt_rows_equal_the_live_ones(tables, append, drain):
    traffic = Traffic(5)
    for _ in range(3):
        append(traffic.records(EVENTS // 3))
        assert drain()
    live, runs, made = rows_in_tables(), summaries(), indexes()
    assert len(live) > 500
    done = rebuild(quiet)
    assert rows_in_tables() == live
    assert summaries() == runs
    assert indexes() == made
    assert done.runs == len(runs)
    assert done.unfolded == ()
    assert left_behind() == []


def test_what_was_spoilt_is_right_again(tables, append, drain):
    append(Traffic(6).records(EVENTS))
    assert drain()
    live, runs = rows_in_tables(), summaries()
    Task.objects.filter(state="completed").delete()
    RunPart.objects.update(body=RunPart.objects.first().body)
    Run.objects.update(name="spoilt")
    rebuild(quiet)
    assert rows_in_tables() == live
    assert summaries() == runs


def test_revisions_only_grow_so_that_pages_take_what_comes_after(tables, append, drain):
    traffic = Traffic(7)
    append(traffic.records(EVENTS))
    assert drain()
    before = [dict(model.objects.values_list("pk", "revision")) for model in MODELS]
    rebuild(quiet)
    after = [dict(model.objects.values_list("pk", "revision")) for model in MODELS]
    assert all(one[key] > revision for old, one in zip(before, after, strict=True) for key, revision in old.items())
    append(traffic.records(300))
    assert drain()
    live = rows_in_tables()
    rebuild(quiet)
    assert rows_in_tables() == live


def test_what_people_did_is_not_touched(tables, append, drain):
    append(Traffic(8).records(500))
    assert drain()
    Approval.objects.create(approval_id="mine", version=1, state="granted")
    enter("user-1", "decision", "approval/mine", {"decision": "approve"})
    positions = list(Position.objects.order_by("topic", "partition").values())
    segments = list(Segment.objects.order_by("id").values_list("id", flat=True))
    rebuild(quiet)
    assert Approval.objects.get().state == "granted"
    assert Audit.objects.count() == 1
    assert list(Position.objects.order_by("topic", "partition").values()) == positions
    assert list(Segment.objects.order_by("id").values_list("id", flat=True)) == segments


def test_a_worker_goes_on_while_its_tables_are_rebuilt(tables, log, append, drain):
    traffic = Traffic(9)
    append(traffic.records(EVENTS))
    assert drain()
    stop, feeding = threading.Event(), threading.Event()
    ingest = Ingest(lambda: log, Manifest(), make_store(), Leases(worker_name(), "ingest", seconds=1.0))

    def work() -> None:
        ingest.run(stop)
        connection.close()

    def feed() -> None:
        while not feeding.is_set():
            append(traffic.records(50))
            time.sleep(0.02)

    threads = [threading.Thread(target=work), threading.Thread(target=feed)]
    for thread in threads:
        thread.start()
    try:
        epochs = dict(Shard.objects.filter(role="ingest").values_list("shard", "epoch"))
        for _ in range(2):
            assert rebuild(quiet).records > 0
    finally:
        feeding.set()
        threads[1].join(20)
        stop.set()
        threads[0].join(20)
    assert all(Shard.objects.get(shard=shard).epoch > epoch for shard, epoch in epochs.items())
    assert drain()
    live = rows_in_tables()
    assert sum(Position.objects.values_list("records", flat=True)) > EVENTS
    rebuild(quiet)
    assert rows_in_tables() == live


def test_a_record_that_cannot_be_folded_keeps_the_live_tables(tables, append, drain, monkeypatch):
    append(Traffic(10).records(600))
    assert drain()
    live = rows_in_tables()
    victim = Task.objects.exclude(run_id="").first()
    kept = refolding.fold

    def broken(rows: Any, events: Any) -> Any:
        if any(event.task_id == victim.task_id for event in events):
            raise ZeroDivisionError("the fold met what nobody thought of")
        return kept(rows, events)

    monkeypatch.setattr(refolding, "fold", broken)
    with pytest.raises(NotSwapped, match=r"ZeroDivisionError.*--leave-out"):
        rebuild(quiet)
    assert rows_in_tables() == live
    assert left_behind() == []
    done = rebuild(quiet, leave_out=True)
    assert {one.reason.split(":")[0] for one in done.unfolded} == {"ZeroDivisionError"}
    assert not Task.objects.filter(run_id=victim.run_id, task_id=victim.task_id).exists()
    assert Task.objects.count() == sum(name == "dashboard_task" for name, _ in live) - 1


def test_two_rebuilds_do_not_run_at_once(tables, append, drain):
    append(Traffic(11).records(200))
    assert drain()
    other = Leases("another", "rebuild", seconds=30)
    other.renew(["rebuild"])
    with pytest.raises(NotSwapped, match="Another rebuild"):
        rebuild(quiet)
    other.release()
    assert rebuild(quiet).records > 0


@pytest.mark.parametrize("tables", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_no_page_is_sent_away_because_the_swap_and_it_wait_for_each_other(tables, postgres_tables, append, drain):
    append(Traffic(14).records(300))
    assert drain()
    with psycopg.connect(postgres_tables) as page, psycopg.connect(postgres_tables) as other:
        page.execute("SELECT count(*) FROM dashboard_run")
        other.execute("SELECT count(*) FROM dashboard_agent")
        with ThreadPoolExecutor(2) as threads:
            done = threads.submit(rebuilt)
            until(swap_waits)
            # The page waits for a table that the swap holds, then the swap for one that the page holds.
            leaves = threads.submit(lambda: time.sleep(0.4) or other.rollback())
            page.execute("SELECT count(*) FROM dashboard_task")
            page.rollback()
            leaves.result(10)
            assert done.result(20) > 0
    assert left_behind() == []


def rebuilt() -> int:
    try:
        return rebuild(quiet).records
    finally:
        connection.close()


def swap_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")
        return bool(cursor.fetchone()[0])


def until(happened: Any) -> None:
    limit = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_what_a_killed_rebuild_left_is_cleared_up(tables, append, drain):
    append(Traffic(13).records(400))
    assert drain()
    live = rows_in_tables()
    left = fresh_tables()
    left.make()
    with left.at_hand():
        Run.objects.create(run_id="half a rebuild")
        connection.close()  # as the death of its process would
    assert left_behind()
    rebuild(quiet)
    assert rows_in_tables() == live
    assert not Run.objects.filter(run_id="half a rebuild").exists()
    assert left_behind() == []


def test_empty_tables_are_rebuilt_to_empty_tables(tables):
    assert rebuild(quiet).records == 0
    assert not any(model.objects.exists() for model in (Task, RunPart, FoldPart, Request, Agent, Run))


async def appended(path: str) -> None:
    log = SqliteLog(path)
    await log.append(Traffic(12).records(100))
    await log.close()


def test_the_command_reads_the_tail_where_no_worker_does(transactional_db, tmp_path, settings):
    settings.LINESIDE_LOG = f"sqlite://{tmp_path}/log.sqlite3"
    call_command("topics", "--apply", verbosity=0)
    asyncio.run(appended(f"{tmp_path}/log.sqlite3"))
    out = io.StringIO()
    call_command("rebuild", stdout=out)
    words = out.getvalue()
    assert "0 records of 0 runs" in words
    assert "The log's tail is read." in words
    assert Run.objects.exists()
    out = io.StringIO()
    call_command("rebuild", "--no-tail", stdout=out)
    assert "tail" not in out.getvalue()
    assert Run.objects.exists()


def test_the_command_says_what_was_not_done(transactional_db):
    Leases("another", "rebuild", seconds=30).renew(["rebuild"])
    with pytest.raises(CommandError, match="Another rebuild"):
        call_command("rebuild", "--no-tail", verbosity=0)


def test_the_fold_is_the_live_one():
    assert refolding.fold is projection.fold
