"""A program for tests: decide many times, then relay in processes of which one after the other is killed.

    python -m tests.faults.relayprocess COUNT TASKS [slow] STAGE=HIT[+DELAY_MS][~] …

For every STAGE=HIT a process of its own starts a relay and is killed (SIGKILL) when a session reaches that stage for
the HITth time, or so many milliseconds later. With `~` it falls asleep (SIGSTOP) instead and wakes when everything
is done. Then all leases are over, as they would be after a while, and the next process begins; the last one runs
until the outbox is empty, and with `slow` it takes its time for every transaction. Database, log and folder come
from the environment, as for everything else. Prints one JSON line for each death, and in the end one for each
decision: its id, its state, where its records stand.

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
from django.db import Error, connection, connections  # noqa: E402

from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import Decision, Shard, Worker  # noqa: E402
from dashboard.relay import Relay  # noqa: E402
from dashboard.relay.limits import Limits  # noqa: E402
from tests.dashboard.relaying import decided, release, settled  # noqa: E402

LIMITS = Limits(look_every=0.02, opening=15, asking=10, sending=15, reading=15, closing=0.5, batch=4)
PATIENCE = 90.0
SLOW = 0.1


def started(work: Callable[[], None]) -> int:
    """Do the work in a process of its own; returns its pid."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def forked(work: Callable[[], None]) -> int:
    """Do the work in a process of its own and wait; returns its exit status as `os.waitpid` does."""
    return os.waitpid(started(work), 0)[1]


def prepare(count: int, tasks: int) -> None:
    """Tables, topics, so many decisions about so many tasks."""
    call_command("migrate", verbosity=0)
    asyncio.run(_create_topics())
    decided(count, tasks=tasks)
    release()


async def _create_topics() -> None:
    await open_eventlog().create_topics(manifest().specs())
    await close_eventlog()


def relay(killed_at: str, pause: float = 0.0) -> None:
    """Relay until killed, or until nothing is left; `pause` (s) after every transaction."""
    asyncio.run(_relay(*_parsed(killed_at), pause))


def _parsed(text: str) -> tuple[str, int, float, signal.Signals]:
    stage, _, rest = text.removesuffix("~").partition("=")
    hit, _, delay = rest.partition("+")
    return stage, int(hit or 0), float(delay or 0) / 1000, signal.SIGSTOP if text.endswith("~") else signal.SIGKILL


async def _relay(deadly: str, hit: int, delay: float, end: signal.Signals, pause: float) -> None:
    seen = 0

    async def stage(name: str) -> None:
        nonlocal seen
        seen += name == deadly
        if name == "told":
            await asyncio.sleep(pause)
        if name != deadly or seen != hit:
            return
        if delay:
            threading.Timer(delay, os.kill, (os.getpid(), end)).start()
        else:
            os.kill(os.getpid(), end)

    stop = asyncio.Event()
    running = asyncio.create_task(Relay(open_eventlog(), seconds=5, limits=LIMITS, stage=stage).run(stop))
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(_settled):
            await asyncio.sleep(0.02)
    stop.set()
    await running
    await close_eventlog()


def _settled() -> bool:
    try:
        return settled()
    except Error:
        # The database may be away, too; whether the relay copes is what is tested.
        connection.close()
        return False


def expire_leases() -> None:
    """The time that would pass until the leases of a killed process run out."""
    Shard.objects.update(lease_until=0)
    Worker.objects.all().delete()


def report() -> None:
    """Say what became of each decision."""
    for row in Decision.objects.order_by("saved_at"):
        told = {"decision_id": row.decision_id, "state": row.state, "positions": row.positions, "task": row.task_id}
        print(json.dumps(told), flush=True)


def main(count: int, tasks: int, deaths: list[str]) -> int:
    """Exit code 0 when every process died or slept as planned, the last one finished, and the sleepers woke."""
    if forked(lambda: prepare(count, tasks)):
        return 2
    asleep = []
    pause = SLOW if "slow" in deaths else 0.0
    for death in deaths:
        if death == "slow":
            continue
        pid = started(lambda death=death: relay(death))  # type: ignore[misc]
        status = os.waitpid(pid, os.WUNTRACED)[1]
        if os.WIFSTOPPED(status):
            asleep.append(pid)
        elif os.WTERMSIG(status) != signal.SIGKILL:
            return 3
        print(json.dumps({"death": death}), flush=True)
        if forked(expire_leases):
            return 4
    if forked(lambda: relay("never", pause)):
        return 5
    for pid in asleep:
        os.kill(pid, signal.SIGCONT)
        if os.waitpid(pid, 0)[1]:
            return 6
    return forked(report)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
