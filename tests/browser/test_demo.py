"""The demo as somebody meets it who has just typed the first command of the README."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from coordination.envelope import Decoder
from coordination.event import Event
from tests.installation import Api, Installation
from tests.services.chromium import Chromium, Faults
from tests.services.ports import free_port
from tests.services.process import ServerProcess

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
# Counts what changes in the rows of the board, by themselves.
WATCH = """() => {
  window.changes = 0;
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  const runs = document.getElementById("runs");
  new MutationObserver((some) => { window.changes += some.length; }).observe(runs, everything);
}"""
PROMISED_SECONDS = 60
END_SECONDS = 5


class Demo:
    """`manage.py demo` in a folder of its own, as often as it is started."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder)
        self.address = f"http://127.0.0.1:{free_port()}"

    def start(self, *more: str) -> ServerProcess:
        """Start it; returns once it has printed its link."""
        name = f"demo-{time.monotonic_ns()}"
        port = self.address.rpartition(":")[2]
        process = self.installation.start(name, "demo", "--port", port, *more)
        process.wait_until(lambda: process.logged("Open http"), PROMISED_SECONDS)
        return process

    def stop(self, process: ServerProcess) -> float:
        """Ctrl-C; returns how many seconds it took to end."""
        log, began = process.log, time.monotonic()
        process.stop(signal.SIGINT, seconds=30)
        took = time.monotonic() - began
        assert "Traceback" not in log.read_text(), log.read_text()[-4000:]
        return took

    def link(self, process: ServerProcess) -> str:
        """The address it printed."""
        return re.findall(r"^Open (\S+)$", process.log.read_text(), re.M)[-1]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path)
    with made.installation:
        yield made


def until(happened: Callable[[], bool], seconds: float, words: Callable[[], object]) -> None:
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, words()
        time.sleep(2)


def sign_in(browser: Browser, link: str) -> Page:
    """Open the printed link as a person does, which ends on the board."""
    page = browser.new_context().new_page()
    page.goto(link)
    page.wait_for_selector("#runs", timeout=20_000)
    return page


@pytest.mark.timeout(420)
def test_a_newcomer_sees_runs_move_and_finds_them_again(demo: Demo, chromium: Chromium) -> None:
    assert "manage.py demo\n```" in README
    began = time.monotonic()
    process = demo.start()
    with chromium.browser() as browser:
        page = sign_in(browser, demo.link(process))
        faults = Faults(page)
        page.wait_for_selector("#runs [data-id]", timeout=20_000)
        page.evaluate(WATCH)
        while page.evaluate("window.changes") < 4:
            assert time.monotonic() - began < PROMISED_SECONDS, "nothing moves"
            page.wait_for_timeout(200)
        assert faults.seen == []
    first = seen(demo, process)
    assert len(first) >= 5
    assert demo.stop(process) < END_SECONDS
    again = demo.start("--rate", "10")
    assert seen(demo, again)[-len(first) :] == first
    everything_that_is_promised(api(demo), demo)
    assert demo.stop(again) < END_SECONDS


def api(demo: Demo) -> Api:
    token = demo.installation.manage("token", "demo", "--name", "tests").splitlines()[-1]
    return Api(demo.address, token)


def seen(demo: Demo, process: ServerProcess) -> list[str]:
    """The runs there are, newest first, once there are some."""
    asked = api(demo)
    until(lambda: len(asked.all("runs")) >= 5, 30, process.log_tail)
    found = [run["run_id"] for run in asked.all("runs")]
    asked.close()
    return found


def everything_that_is_promised(asked: Api, demo: Demo) -> None:
    """Wait until each thing has happened that the demo is there to show."""
    missing = ["nothing was looked at yet"]

    def all_there() -> bool:
        missing[:] = [name for name, holds in Shown(demo.installation, asked).promises().items() if not holds]
        return not missing

    until(all_there, 240, lambda: f"not seen: {missing}")
    asked.close()


class Shown:
    """What the demo has shown so far."""

    def __init__(self, installation: Installation, asked: Api) -> None:
        decoder, self.events = Decoder(installation.manifest), []
        records = installation.records()
        self.letters = [one for one in records if one.topic.startswith("dlq.")]
        for record in records:
            if not record.topic.startswith("dlq.") and ".state." not in record.topic:
                self.events.append(decoder.decode(record))
        lag = asked.get("agents/reconciler/history", reach="15m")["data"][0]["y"]
        self.waiting = [waiting for waiting in lag if waiting is not None]

    def named(self, name: str) -> list[Event]:
        """The events of one type."""
        return [event for event in self.events if event.name == name]

    def promises(self) -> dict[str, bool]:
        """Each thing, and whether it was there."""
        asked = {event.task_id: event for event in self.named("task.requested")}
        paused = {event.task_id for event in self.named("task.paused")}
        sizes = [event.data.count for event in self.named("fanout.sealed")]
        branches = {task_id for task_id, event in asked.items() if event.fanout_id}
        most = self.waiting.index(max(self.waiting, default=0)) if self.waiting else 0
        return {
            "five groups": len({event.agent_group for event in self.named("task.completed")}) >= 5,
            "two workflows": len({event.data.workflow for event in self.named("run.started")}) == 2,
            "fan-outs of 3 to 60": bool(sizes) and min(sizes) >= 1 and min(sizes) <= 3 and max(sizes) >= 30,
            "nested fan-outs": any(event.task_id in branches for event in self.named("fanout.opened")),
            "joins of different rules": len({event.data.join for event in self.named("fanout.opened")}) >= 3,
            "tool calls": bool(self.named("tool.call.completed")),
            "model calls": bool(self.named("model.call.completed")),
            "retries": bool(self.named("task.attempt.failed")),
            "a real traceback": any("Traceback" in (one.data.error.stack or "") for one in self.named("task.failed")),
            "a dead letter": bool(self.letters),
            "an approval that expired": bool(self.named("approval.expired")),
            "an approval that was escalated": bool(self.named("approval.escalated")),
            "tasks behind an approval": any(paused & {*event.data.depends_on} for event in asked.values()),
            "lag that grows": max(self.waiting, default=0) >= 10,
            "lag that drains": any(few <= max(self.waiting) / 2 for few in self.waiting[most:]),
        }
