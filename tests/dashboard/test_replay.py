"""Rules of `replay`: a run end to end against the topic sequence, from the stored records alone."""

import asyncio
import io
import threading
from itertools import count

import pytest
from django.core.management import CommandError, call_command

from coordination.instants import rfc3339
from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard.events import events_of_run, in_log_order, records_of_run
from dashboard.ingest.loop import Ingest
from dashboard.models import Audit, Position, Run, Segment, Shard, Task
from dashboard.runtime import make_store, worker_name
from dashboard.shards import Leases
from tests.traffic import Traffic

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def busiest() -> Run:
    """The run with most tasks, after a stretch of traffic was ingested."""
    ticks = count(1_790_000_000_000)
    log = MemoryLog(lambda: next(ticks))

    async def fill() -> None:
        await log.create_topics(Manifest().specs())
        for record in Traffic(21).records(1_500):
            await log.append([record])

    asyncio.run(fill())
    leases = Leases(worker_name(), "ingest")
    assert Ingest(lambda: log, Manifest(), make_store(), leases, drain=True).run(threading.Event())
    return Run.objects.order_by("-total", "run_id")[0]


def replayed(*arguments: str) -> tuple[list[str], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("replay", *arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue()


def test_every_record_stands_in_a_line_in_log_order(busiest: Run):
    lines, errors = replayed(busiest.run_id)
    events = in_log_order(records_of_run(busiest.run_id))
    assert errors == ""
    assert len(lines) == len(events) + 2
    for line, event in zip(lines, events, strict=False):
        fields = line.split()
        assert fields[:3] == [rfc3339(event.at), f"{event.topic}-{event.partition}@{event.offset}", event.name]
        assert fields[3] == (event.task_id or "–")


def test_the_end_is_what_the_tables_say(busiest: Run):
    lines, _ = replayed(busiest.run_id)
    told = ", ".join(f"{number} {state}" for state, number in sorted(busiest.counts.items()) if number)
    assert lines[-2] == f"{busiest.events} records. Tasks: {told}."
    assert lines[-1] == "The tables say the same."


def test_tables_that_say_otherwise_are_an_error(busiest: Run):
    Run.objects.filter(run_id=busiest.run_id).update(counts={"completed": 10_000})
    with pytest.raises(CommandError, match=r"10000 completed.*manage\.py rebuild"):
        replayed(busiest.run_id)


def test_state_changes_are_told_where_they_happen(busiest: Run):
    lines, _ = replayed(busiest.run_id)
    assert any(line.split()[2] == "task.started" and line.endswith("submitted → working") for line in lines[:-2])
    assert any(line.endswith("run – → working") for line in lines[:-2] if line.split()[2] == "run.started")


def test_it_stops_at_a_position_and_at_a_time(busiest: Run):
    events = events_of_run(busiest.run_id)
    middle = events[len(events) // 2]
    lines, _ = replayed(busiest.run_id, "--to", f"{middle.topic}-{middle.partition}@{middle.offset}")
    assert lines[-2].split()[1] == f"{middle.topic}-{middle.partition}@{middle.offset}"
    assert len(lines) == len(events) // 2 + 2
    assert "The tables" not in lines[-1]
    by_time, _ = replayed(busiest.run_id, "--to", rfc3339(middle.at))
    assert by_time[:-1] == lines[:-1]


@pytest.mark.parametrize("position", ["coord.run.task.events-0@99999", "yesterday", "2026-05-01"])
def test_a_position_that_is_none_is_refused_with_how_to_write_one(busiest: Run, position: str):
    with pytest.raises(CommandError, match=r"position"):
        replayed(busiest.run_id, "--to", position)


def test_an_unknown_run_is_named(db: None):
    with pytest.raises(CommandError, match="'nobody'"):
        replayed("nobody")


def test_nothing_is_touched(busiest: Run):
    def everything() -> list[object]:
        models = (Run, Task, Segment, Position, Shard, Audit)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = everything()
    replayed(busiest.run_id)
    assert everything() == before
