"""Pages cost the same however much is in the tables: every page and every list call, on both databases.

Rows come from a real ingest and are then multiplied. Each address is asked before and after, and the plans of its
queries are looked at: none may read a large table from end to end, and together they may touch at most twice as
many pages as before (PostgreSQL tells). `--long` goes on to 10,000 runs and a million records.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from coordination.eventlog import NewRecord
from dashboard.models import ConsumerGroup, Request, Run, Segment, Stretch, Task
from dashboard.routes import routes
from dashboard.sweep.adoption import adopt_new
from tests.dashboard import scenes
from tests.dashboard.multitude import multiply, sizes
from tests.dashboard.plans import MANY, Work, work
from tests.traffic import Traffic

LOOSE = 400
"""Pages an address may touch more than that: trees have grown by a level, and counts go on to 1,000 rows."""
# What is no page of rows: files, descriptions of itself, the log's own face, and what leads elsewhere.
ASIDE = re.compile(r"^(admin/|sign-|static/|media/|api/v1/(log|openapi)|.*<str:token>|metrics)")
# What an address is asked, where it answers nothing without.
QUESTIONS = {"api/v1/runs/compare": "?a={run_id}&b={run_id}", "compare/": "?a={run_id}&b={run_id}"}
# These sum over whole tables for every answer, so they grow with them. None may be added without need: each is one
# that a summary kept by ingest, or a bound, would make as cheap as the rest.
SUMMING = {"/api/v1/workflows", "/workflows/", "/api/v1/errors", "/dead-letters/", "/readiness/"}

Feed = Callable[[list[NewRecord]], None]


@pytest.fixture
def rows(tables: str, append: Feed, drain: Callable[[], bool]) -> str:
    """Some fifty runs and requests out of real traffic, with whatever happens on logs."""
    append(Traffic(5, odd=0.4, live_runs=5).records(4_000))
    assert any(drain() for _ in range(10))
    adopt_new()
    return tables


def addresses() -> list[str]:
    """Every GET there is, about something that exists."""
    task = Task.objects.exclude(run_id="").exclude(fold_key="").first()
    stretch = Stretch.objects.filter(topic__contains="task.events").first()
    request = Request.objects.first()
    assert task is not None
    assert stretch is not None
    assert request is not None
    ConsumerGroup.objects.first() or scenes.group()
    known = {
        "run_id": task.run_id,
        "task_id": task.task_id,
        "fold_key": task.fold_key,
        "approval_id": request.approval_id,
        "group": ConsumerGroup.objects.first().group,  # type: ignore[union-attr]
        "topic": stretch.topic,
        "partition": str(stretch.partition),
        "offset": str(stretch.first_offset),
    }
    return list(dict.fromkeys(_filled(known)))


def _filled(known: dict[str, str]) -> Iterator[str]:
    for route in routes():
        if route.method == "GET" and not ASIDE.match(route.path):
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda name: quote(known.get(name[1], "none")), route.path)
            yield f"/{path}{QUESTIONS.get(route.path, '').format_map(known)}"


def walked(client: Client) -> dict[str, Work]:
    """What each address costs, asked twice so that what is cached for a process is there."""
    found = {}
    for address in addresses():
        work(client, address)
        found[address] = work(client, address)
    return found


def check(engine: str, times: int) -> None:
    client = scenes.viewer()
    before = walked(client)
    multiply(times)
    after, large = walked(client), {table for table, rows in sizes().items() if rows >= MANY}
    assert {Run._meta.db_table, Task._meta.db_table, Segment._meta.db_table} <= large, sizes()
    scans = {address: _too_much(one, large) for address, one in after.items() if address not in SUMMING}
    scans = {address: found for address, found in scans.items() if found}
    assert not scans, "\n".join(f"{address}: {one}" for address, one in scans.items())
    more = {address: (before[address].queries, one.queries) for address, one in after.items()}
    assert not {address: counts for address, counts in more.items() if counts[1] > counts[0] + 2}
    if engine == "postgresql":
        grown = {address: (before[address].pages, one.pages) for address, one in after.items()}
        worst = sorted(grown.items(), key=lambda pair: pair[1][0] - pair[1][1])[:5]
        print("pages touched before and after, those that grew most:", *worst, sep="\n  ")
        assert not {
            address: pages
            for address, pages in grown.items()
            if pages[1] > 2 * pages[0] + LOOSE and address not in SUMMING
        }


def _too_much(one: Work, large: set[str]) -> dict[str, Any]:
    return {table: statement for table, statement in one.scanned.items() if table in large}


@pytest.mark.timeout(600)
def test_no_page_reads_a_large_table_from_end_to_end(rows: str) -> None:
    check(rows, times=60)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_runs_and_a_million_records(rows: str) -> None:
    records = sum(Segment.objects.values_list("records", flat=True))
    check(rows, times=max(10_000 // Run.objects.count(), 10_000 // Request.objects.count(), 1_000_000 // records) + 1)
