"""What a page's main thread did while it was watched, out of Chromium's own trace: time per delta, longest task."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page

CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing", "__metadata"]
# Every message of the socket is marked, so that the trace knows when a delta came; and noted with when it was sent.
MARK = """(() => {
  window.told = [];
  window.sent = [];
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', (event) => {
        if (!event.data.includes('"rows"')) return;
        performance.mark('delta');
        window.told.push(performance.now());
        window.sent.push(Date.parse(event.data.match(/"at":"([^"]+)"/)[1]));
      });
    }
  };
})()"""


class Work(NamedTuple):
    """ms of the main thread: the sum of what it did from each delta to the next, and its longest task."""

    per_delta: list[float]
    longest: float

    def p50(self) -> float:
        """The median per delta."""
        return self._share(0.5)

    def p95(self) -> float:
        """The 95th percentile per delta."""
        return self._share(0.95)

    def _share(self, part: float) -> float:
        return sorted(self.per_delta)[int(len(self.per_delta) * part)] if self.per_delta else 0.0


def mark_deltas(page: Page) -> None:
    """Call it before the page is opened."""
    page.add_init_script(MARK)


def begin(browser: Browser, page: Page) -> None:
    """From now on everything is traced; one page at a time."""
    browser.start_tracing(page=page, categories=CATEGORIES)


def end(browser: Browser) -> Work:
    """What was done since `begin`."""
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    marks = [event for event in events if event.get("name") == "delta" and "ts" in event]
    main = {(event["pid"], event["tid"]) for event in marks}
    # Thread time where Chromium tells it: other programs of the machine are not the page's doing.
    tasks = _outermost(
        (event["ts"], event["dur"], event.get("tdur", event["dur"]) / 1000)
        for event in events
        if event.get("ph") == "X" and event.get("name", "").endswith("RunTask") and (event["pid"], event["tid"]) in main
    )
    times = sorted(event["ts"] for event in marks)
    sums = [sum(length for at, length in tasks if low <= at < high) for low, high in pairwise(times)]
    return Work(sums, max((length for _, length in tasks), default=0.0))


def _outermost(tasks: Iterable[tuple[int, int, float]]) -> list[tuple[int, float]]:
    """(start, ms) of the tasks that lie in no other: Chromium tells of one task by several names."""
    found, end = [], 0
    for start, span, length in sorted(tasks, key=lambda task: (task[0], -task[1])):
        if start >= end:
            found.append((start, length))
            end = start + span
    return found
