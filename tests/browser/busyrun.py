"""A run whose tasks change state all the time, on a real log, and a page that looks at it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from playwright.sync_api import Browser

from coordination.encoding import new_event
from coordination.eventlog import NewRecord
from coordination.foldkeys import FoldKeys
from coordination.ids import new_id
from tests.browser import mainthread
from tests.browser.mainthread import Work
from tests.installation import Installation, Site
from tests.signedin import signed_in_page

RUN = "busy"
PLACES = """() => Object.fromEntries([...document.querySelectorAll('[data-node]')].map(
  (one) => [one.dataset.node, one.getAttribute('transform')]))"""
VIEW = """() => { const stage = document.querySelector('.stage'); const drawing = document.querySelector('.drawing');
  return [stage.scrollLeft, stage.scrollTop, drawing.getAttribute('width'), drawing.getAttribute('height')]; }"""
TALLY = "() => document.getElementById('tally').textContent"


class Seen(NamedTuple):
    """What the page did: drawn nodes that moved, whether the view stayed, the most messages in any second."""

    moved: list[str]
    stayed: bool
    messages: int
    most_in_a_second: int
    work: Work
    changes: int


class BusyRun:
    """A run of `tasks` tasks that are asked for at once and then take their steps."""

    def __init__(self, tasks: int, installation: Installation) -> None:
        self.tasks = tasks
        self._installation = installation
        self._keys = FoldKeys()

    def _event(self, name: str, task: str, **given: object) -> NewRecord:
        at = time.time_ns() // 1000
        more = {"agent_id": "coder-1", "agent_group": "coder"} if name != "task.requested" else {}
        return new_event(
            name,
            source="/test/agents/coder-1/i",
            time=at,
            id=new_id(at),
            run_id=RUN,
            task_id=task,
            manifest=self._installation.manifest,
            **more,
            **given,  # type: ignore[arg-type]
        )

    def _ask(self, task: str, kind: str, parent: str = "") -> NewRecord:
        key = self._keys.stamp(task, kind, "coder", [parent] if parent else [])
        data = {"task_type": kind, "title": task}
        return self._event("task.requested", task, target_group="coder", fold_key=key, parent_task_id=parent, data=data)

    def ask(self) -> None:
        """Appends the requests of all tasks; in a thread, because Playwright holds the loop of this one."""
        asker = threading.Thread(target=lambda: self._installation.append(self._asked()))
        asker.start()
        asker.join()

    def _asked(self) -> list[NewRecord]:
        kinds = ("search", "read", "weigh", "write")
        first = [self._ask("plan", "plan"), *(self._ask(kind, kind, "plan") for kind in kinds)]
        return first + [self._ask(f"t{one:05}", f"{kinds[one % 4]} part", kinds[one % 4]) for one in range(self.tasks)]

    def changes(self) -> Iterator[NewRecord]:
        """Steps of the tasks, in turn: started, progressed, done; one in two hundred fails."""
        for one in range(self.tasks):
            task = f"t{one:05}"
            yield self._event("task.started", task, attempt=1)
            yield self._event("task.progressed", task, attempt=1, data={"progress": 0.5})
            if one % 200 == 7:
                yield self._event("task.failed", task, attempt=1, data={"error": {"type": "E", "message": "no"}})
            else:
                yield self._event("task.completed", task, attempt=1)

    def feed(self, rate: float, seconds: float) -> int:
        """Appends changes at this rate; how many."""
        return asyncio.run(self._feed(rate, seconds))

    async def _feed(self, rate: float, seconds: float) -> int:
        log = self._installation.open_log()
        changes, began, sent = self.changes(), time.monotonic(), 0
        try:
            while time.monotonic() - began < seconds:
                due = int((time.monotonic() - began) * rate) - sent
                some = [next(changes) for _ in range(due)]
                if some:
                    await log.append(some)
                    sent += len(some)
                await asyncio.sleep(0.02)
        finally:
            await log.close()
        return sent


def look_on(browser: Browser, site: Site, run: BusyRun, rate: float, seconds: float) -> Seen:
    """Opens the run's page, lets changes come, and says what the page did."""
    page = signed_in_page(browser, site.address, viewport={"width": 1440, "height": 900})
    mainthread.mark_deltas(page)
    page.goto(f"/runs/{RUN}/")
    page.wait_for_selector(".drawing .node")
    page.locator("#graph-in").click()
    page.evaluate("document.querySelector('.stage').scrollTo(40, 0)")
    sent: list[int] = []
    feeder = threading.Thread(target=lambda: sent.append(run.feed(rate, seconds)))
    feeder.start()
    while page.evaluate("window.told.length") < 4:  # warm: code is compiled, places are taken
        page.wait_for_timeout(100)
    places, view = page.evaluate(PLACES), page.evaluate(VIEW)
    mainthread.begin(browser, page)
    feeder.join()
    work = mainthread.end(browser)
    after = page.evaluate(PLACES)
    told: list[float] = page.evaluate("window.sent")
    seen = Seen(
        moved=[name for name, where in places.items() if name in after and after[name] != where],
        stayed=page.evaluate(VIEW)[:2] == view[:2],
        messages=len(told),
        most_in_a_second=max((sum(low <= one < low + 1000 for one in told) for low in told), default=0),
        work=work,
        changes=sent[0],
    )
    page.context.close()
    return seen
