"""Records that mean harm: none stops ingest, each is a rejected row with a reason or a shown event, and none of them
does anything in the browser, neither in a page that is opened nor in one that is open while they arrive.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from django.db.models import Sum

from dashboard.api.approvals import STATES
from dashboard.models import Position, Rejected
from tests.faults.agreement import agree, is_read, tables
from tests.faults.test_worker_paused import until
from tests.faults.walk import Walk, addresses
from tests.hostile import SCRIPTS, Hostile
from tests.installation import Installation, Site
from tests.services.chromium import Chromium
from tests.signedin import signed_in_client, signed_in_page

LIVE = 300
ON_THE_WAY = ("/", "/runs/", "/approvals/", "/agents/", "/dead-letters/")


def check(installation: Installation, blocker: Any, chromium: Chromium, count: int, each: int) -> None:
    installation.prepare()
    hostile = Hostile(count, namespace=installation.manifest.namespace)
    left = count
    while left:
        left -= pour(installation, hostile, min(left, 5_000))
    installation.manage("worker", "--roles", "ingest,lag", "--drain", seconds=1_500)
    told = agree(installation, blocker)
    assert len(told) == count
    with tables(installation, blocker):
        assert 0 < Rejected.objects.count() < count
        assert not Rejected.objects.filter(reason="").exists()
    places = [*told.events, *told.malformed][:: max(1, count // 40)]
    site = installation.one_process()
    reviews = asked(site, places)
    with chromium.browser() as browser:
        walk = Walk(signed_in_page(browser, site.address), each=each)
        walk.everywhere(reviews)
        print(f"{count} records; visited {dict(walk.visited)}")
        arriving(installation, blocker, walk, hostile)
        assert not walk.faults, "\n".join(walk.faults)
        planted(walk)
    assert {"run", "task", "record", "review", "agent"} <= walk.visited.keys()


def pour(installation: Installation, hostile: Hostile, count: int) -> int:
    """Append some, on topics that are read; returns how many."""
    records = [one for one in hostile.records(count) if is_read(one.topic, installation.manifest)]
    installation.append(records)
    return len(records)


def asked(site: Site, places: list[tuple[str, int, int]]) -> list[str]:
    """Every call of the API that reads answers, and no answer is an error of ours. Returns pages of requests."""
    with closing(signed_in_client(site.address)) as client:

        def items(path: str) -> list[dict[str, Any]]:
            return list(client.get(f"/api/v1/{path}").json()["items"])

        runs = [run["run_id"] for run in items("runs")]
        tasks = [task["task_id"] for run in runs for task in items(f"runs/{quote(run, safe='')}/tasks")[:3]]
        # Among very many, every one may have been denied or withdrawn by another of them.
        approvals = [one["approval_id"] for state in STATES for one in items(f"approvals?state={state}")][:50]
        ids = {
            "run_id": runs,
            "task_id": tasks,
            "approval_id": approvals,
            "group": [one["group"] for one in items("agents")],
        } | dict(zip(("topic", "partition", "offset"), map(list, zip(*places, strict=True)), strict=True))
        assert all(len(some) >= 3 for some in ids.values()), {name: len(some) for name, some in ids.items()}
        answers = {
            path: client.get(path).status_code for path in addresses(client.get("/api/v1/openapi.json").json(), ids)
        }
    # 409: several runs have a task by that name; 422: the call wants more than ids. Both say so in words.
    assert {path: status for path, status in answers.items() if status not in (200, 409, 422)} == {}
    assert sum(status == 200 for status in answers.values()) > 0.8 * len(answers)
    return [f"/approvals/{quote(approval, safe='')}/" for approval in approvals]


def arriving(installation: Installation, blocker: Any, walk: Walk, hostile: Hostile) -> None:
    """More of them arrive while a page is open, which draws them itself."""

    def read() -> int:
        with tables(installation, blocker):
            return int(Position.objects.aggregate(sum=Sum("records"))["sum"])

    # In a thread of its own: the browser keeps an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        expected = read()
        for path in ON_THE_WAY:
            walk.page.goto(path)
            expected += pool.submit(pour, installation, hostile, LIVE).result()
            until(partial(reached, read, expected), partial(str, f"{path}: not all of {expected} were read"))
            walk.page.wait_for_timeout(700)
            walk.look(f"{path} while records arrive")


def reached(read: Callable[[], int], expected: int) -> bool:
    """Whether as many are read."""
    return read() >= expected


def planted(walk: Walk) -> None:
    """What the walk looks for it finds: an element out of a record, and a handler that the policy refuses."""
    walk.page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", SCRIPTS[2])
    walk.page.wait_for_timeout(200)
    walk.look("planted")
    found = " ".join(walk.faults)
    assert "elements come out of records" in found
    assert "refused script-src" in found


@pytest.mark.timeout(600)
def test_five_thousand_hostile_records(embedded: Installation, django_db_blocker: Any, chromium: Chromium) -> None:
    check(embedded, django_db_blocker, chromium, 5_000, each=5)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_hostile_records(embedded: Installation, django_db_blocker: Any, chromium: Chromium) -> None:
    check(embedded, django_db_blocker, chromium, 100_000, each=40)
