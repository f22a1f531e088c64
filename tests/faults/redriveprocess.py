"""A program for tests: agents give up many tasks, people redrive them all, and everything is killed meanwhile.

    python -m tests.faults.redriveprocess TASKS KILLS

A worker (all roles) and an agent run as processes of their own. First the agent fails every task; then all letters
are redriven in one order, the agent works again, and so many times worker and agent are killed (SIGKILL) together
while letters go back. Database, log and folder come from the environment. Prints one JSON line for each kill, and in
the end one that counts what became of the letters, in the tables and on the log.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import Error, connection  # noqa: E402

from coordination.agent import Agent, Client, Fatal, TaskContext  # noqa: E402
from coordination.eventlog import TopicPartition  # noqa: E402
from coordination.manifest import TOPICS  # noqa: E402
from coordination.redrive import REDRIVE_ID  # noqa: E402
from coordination.signing import Keyring  # noqa: E402
from dashboard.api.redriving import act  # noqa: E402
from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import DeadLetter, RedriveItem  # noqa: E402
from tests.faults.relayprocess import expire_leases  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0
ENDED = ("done", "passed", "failed", "dead again", "undeliverable")


class Order:
    """What `POST redrives` would carry."""

    act, ids, query, all, reason = "redrive", (), "agent:payer", False, "the API is back"

    def __init__(self, plan: str = "") -> None:
        self.plan, self.dry_run, self.redrive_id = plan, not plan, "order-1"


def serve_agent(works: bool) -> None:
    """One instance of the payers, until killed."""
    agent = Agent(
        "payer",
        log=settings.LINESIDE_LOG,
        manifest=manifest(),
        keyring=Keyring(),
        session_timeout=6.0,
        concurrency=16,
    )

    @agent.task("pay")
    async def pay(task: TaskContext) -> str:
        if not works:
            raise Fatal("410 gone")
        return "paid"

    agent.run()


def start(*words: str) -> subprocess.Popen[bytes]:
    """A process of its own, in the same environment."""
    return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL)


def worker() -> subprocess.Popen[bytes]:
    """A worker with all roles."""
    return start("manage.py", "worker")


def agent(works: bool) -> subprocess.Popen[bytes]:
    """An instance of the payers; unless it `works` it gives up every task."""
    return start("-m", "tests.faults.redriveprocess", "agent", "works" if works else "fails")


def until(holds: Callable[[], bool]) -> None:
    """Wait until it is true."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            if holds():
                return
        except Error:
            connection.close()
        time.sleep(0.1)
    raise TimeoutError(
        f"Not within {PATIENCE:g} s: {dict(Counter(RedriveItem.objects.values_list('state', flat=True)))}"
    )


async def _ask(count: int) -> None:
    log = open_eventlog()
    await log.create_topics(manifest().specs())
    client = Client(log, "planner", manifest=manifest())
    for first in range(0, count, 100):
        numbers = range(first, min(count, first + 100))
        await asyncio.gather(*(client.request(f"run-{n % 50}", "pay", "payer", title=f"pay {n}") for n in numbers))
    await close_eventlog()


async def _back() -> list[str]:
    """The redrive ids of all commands on the log that were put back."""
    log, found = open_eventlog(), []
    topic = manifest().topic_named("run.task.commands")
    ends = await log.ends([TopicPartition(topic, number) for number in range(TOPICS["run.task.commands"].partitions)])
    reader = await log.reader({at: end.begin for at, end in ends.items()})
    while any(reader.positions()[at] < end.stable for at, end in ends.items()):
        for record in await reader.read(500, 0.5):
            found += [value.decode() for name, value in record.headers if name == REDRIVE_ID]
    await reader.close()
    await close_eventlog()
    return found


def ended() -> int:
    """How many letters have their result."""
    return RedriveItem.objects.filter(state__in=ENDED).count()


def main(count: int, kills: int) -> int:
    """Exit code 0 when every letter has its result."""
    call_command("migrate", verbosity=0, skip_checks=True)
    asyncio.run(_ask(count))
    running = [worker(), agent(works=False)]
    until(lambda: DeadLetter.objects.count() >= count)
    running[1].send_signal(signal.SIGTERM)
    running[1].wait()
    user = User.objects.create_superuser("lena")
    _, plan = act(user, Order())
    _, made = act(user, Order(plan["plan"]))
    running[1] = agent(works=True)
    for number in range(1, kills + 1):
        goal = count * number // (kills + 1)
        until(lambda goal=goal: RedriveItem.objects.exclude(state="saved").count() >= goal)  # type: ignore[misc]
        for process in running:
            process.kill()
            process.wait()
        print(json.dumps({"killed": number, "back": RedriveItem.objects.exclude(state="saved").count()}), flush=True)
        expire_leases()
        running = [worker(), agent(works=True)]
    until(lambda: ended() >= count)
    for process in running:
        process.kill()
        process.wait()
    print(json.dumps(report(made)), flush=True)
    return 0


def report(made: dict[str, Any]) -> dict[str, Any]:
    """What became of the letters."""
    back = asyncio.run(_back())
    return {
        "ordered": made["letters"],
        "states": dict(Counter(RedriveItem.objects.values_list("state", flat=True))),
        "placed": RedriveItem.objects.exclude(offset=None).count(),
        "back": len(back),
        "distinct": len(set(back)),
        "log": settings.LINESIDE_LOG.partition(":")[0],
    }


if __name__ == "__main__":
    if sys.argv[1] == "agent":
        serve_agent(sys.argv[2] == "works")
    else:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
