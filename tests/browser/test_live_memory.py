"""A run page that is looked at for half an hour, a hundred changes a second: what it was told, it does not keep."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, WebSocketRoute

from coordination.runs import FoldPart as FoldPartRow
from coordination.tasks import Task as TaskRow
from dashboard.api.foldlist import fold_page
from dashboard.api.rows import task_row
from dashboard.api.runlist import judged
from dashboard.models import FoldPart, Run
from tests.browser.runs import keep, wide
from tests.dashboard.scenes import viewer

pytestmark = pytest.mark.django_db(transaction=True)
A_MESSAGE, A_SECOND = 25, 4
DRAWN = "() => [...document.querySelectorAll('.drawing .node')].map((one) => one.getAttribute('aria-label')).join()"
STATES = ("working", "retry_wait", "working", "completed")
Send = Callable[[Any], None]


@pytest.fixture
def open_told(browser: Browser, live_server: Any) -> Iterator[Callable[[], tuple[Page, Send]]]:
    """Opens the page of run-1 by a clock that the test moves, and gives what sends to its socket."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})

    def go() -> tuple[Page, Send]:
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": viewer().cookies[name].value, "url": live_server.url}])
        sockets: list[WebSocketRoute] = []
        context.route_web_socket("**/ws/live", lambda socket: sockets.append(socket))
        page = context.new_page()
        page.clock.install()
        page.goto(f"{live_server.url}/runs/run-1/")
        page.wait_for_selector(".drawing .node")
        return page, lambda message: sockets[-1].send(json.dumps(message))

    yield go
    context.close()


class Changes:
    """Deltas of a run as they would come: its row, its folds, and the tasks that took a step."""

    def __init__(self, tasks: list[TaskRow]) -> None:
        self.tasks = tasks
        self.number = 0
        parts = {row.pk: msgspec.json.decode(row.body, type=FoldPartRow) for row in FoldPart.objects.all()}
        self.fold, self.part = max(parts.items(), key=lambda part: part[1].total)

    def second(self) -> Iterator[dict[str, Any]]:
        """The messages of one second; the tables say the same."""
        done = 1 + self.number * A_MESSAGE % len(self.tasks)
        self.part = msgspec.structs.replace(self.part, counts={"completed": done, "working": self.part.total - done})
        FoldPart.objects.filter(pk=self.fold).update(body=msgspec.json.encode(self.part).decode())
        head = [*judged(Run.objects.all()), *fold_page("run-1")["items"]]
        for _ in range(A_SECOND):
            yield self.message(head)

    def message(self, head: list[dict[str, Any]]) -> dict[str, Any]:
        """One delta: run, folds, and tasks that took a step."""
        first = self.number * A_MESSAGE
        self.number += 1
        rows = [self._task(first + place) for place in range(A_MESSAGE)]
        rows = [row | {"revision": self.number} for row in head] + rows
        return {"about": "run:run-1", "from": self.number, "to": self.number + 1, "rows": rows, "gone": []}

    def _task(self, number: int) -> dict[str, Any]:
        step, place = divmod(number, len(self.tasks))
        task = self.tasks[place]
        return task_row(msgspec.structs.replace(task, state=STATES[step % len(STATES)], revision=2 + step))


def heap(page: Page) -> float:
    """MB in use after a collection."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
    session.detach()
    return used


def look_on(page: Page, send: Send, changes: Changes, seconds: int) -> None:
    """Lets so many seconds go by."""
    for _ in range(seconds):
        for message in changes.second():
            send(message)
            page.clock.run_for(1000 // A_SECOND)


@pytest.mark.parametrize(
    ("tasks", "warm", "minutes", "most"),
    [(1_000, 5, 0.25, 1), pytest.param(10_000, 60, 30, 10, marks=(pytest.mark.long, pytest.mark.timeout(3_600)))],
    ids=["short", "long"],
)
def test_what_a_page_was_told_it_does_not_keep(
    open_told: Callable[[], tuple[Page, Send]], tasks: int, warm: int, minutes: float, most: float
) -> None:
    rows = keep(wide(tasks))
    changes = Changes([task for task in rows.tasks.values() if task.fanout_id])
    page, send = open_told()
    send({"at": "2026-01-01T00:00:00Z", "revision": {"run:run-1": 1, "health": 1}})
    first = page.evaluate(DRAWN)
    look_on(page, send, changes, warm)
    before = heap(page)
    look_on(page, send, changes, int(minutes * 60))
    after = heap(page)
    print(f"\n{changes.number:,} messages of {A_MESSAGE} tasks: {before:.1f} MB, then {after:.1f} MB")
    assert page.locator("#tasks [data-id]").count() > 0
    assert page.evaluate(DRAWN) != first, "the graph follows what is told"
    assert after - before < most
