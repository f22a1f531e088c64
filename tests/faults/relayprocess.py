"""A program for tests: decide many times, then relay in processes of which one after the other is killed.

    python -m tests.faults.relayprocess COUNT STAGE=HIT[+DELAY_MS] …

For every STAGE=HIT a process of its own starts a relay and is killed (SIGKILL) when a session reaches that stage for
the HITth time, or so many milliseconds later. The last process runs until the outbox is empty. Database, log and
folder come from the environment, as for everything else. Prints one JSON line for each death, and in the end one for
each decision: its id, its state, where its records stand.

All processes are forked from one that has Django loaded and no thread, so that each costs milliseconds.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import Decision, Shard, Worker  # noqa: E402
from dashboard.relay import Relay  # noqa: E402
from dashboard.relay.limits import Limits  # noqa: E402
from tests.dashboard.relaying import decided, release, settled  # noqa: E402

LIMITS = Limits(look_every=0.02, opening=15, asking=10, sending=15, reading=15, closing=0.5, batch=4)
PATIENCE = 90.0


def forked(work: Callable[[], None]) -> int:
    """Do the work in a process of its own; returns its exit status as `os.waitpid` does."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def prepare(count: int) -> None:
    """Tables, topics, decisions."""
    call_command("migrate", verbosity=0)
    asyncio.run(_create_topics())
    decided(count, tasks=11)
    release()


async def _create_topics() -> None:
    await open_eventlog().create_topics(manifest().specs())
    await close_eventlog()


def relay(killed_at: str) -> None:
    """Relay until killed, or until nothing is left."""
    asyncio.run(_relay(*_parsed(killed_at)))


def _parsed(text: str) -> tuple[str, int, float]:
    stage, _, rest = text.partition("=")
    hit, _, delay = rest.partition("+")
    return stage, int(hit or 0), float(delay or 0) / 1000


async def _relay(deadly: str, hit: int, delay: float) -> None:
    seen = 0

    async def stage(name: str) -> None:
        nonlocal seen
        seen += name == deadly
        if name != deadly or seen != hit:
            return
        if delay:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    stop = asyncio.Event()
    running = asyncio.create_task(Relay(open_eventlog(), seconds=5, limits=LIMITS, stage=stage).run(stop))
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(settled):
            await asyncio.sleep(0.02)
    stop.set()
    await running
    await close_eventlog()


def expire_leases() -> None:
    """The time that would pass until the leases of a killed process run out."""
    Shard.objects.update(lease_until=0)
    Worker.objects.all().delete()


def report() -> None:
    """Say what became of each decision."""
    for row in Decision.objects.order_by("saved_at"):
        told = {"decision_id": row.decision_id, "state": row.state, "positions": row.positions, "task": row.task_id}
        print(json.dumps(told), flush=True)


def main(count: int, deaths: list[str]) -> int:
    """Exit code 0 when every process died as planned and the last one finished."""
    if forked(lambda: prepare(count)):
        return 2
    for death in deaths:
        status = forked(lambda death=death: relay(death))  # type: ignore[misc]
        print(json.dumps({"death": death, "signal": os.WTERMSIG(status)}), flush=True)
        if os.WTERMSIG(status) != signal.SIGKILL or forked(expire_leases):
            return 3
    if forked(lambda: relay("never")):
        return 4
    return forked(report)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
