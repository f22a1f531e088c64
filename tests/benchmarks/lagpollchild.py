"""One process of the benchmark of the lag poll: the poll itself, or members of the groups.

    python -m tests.benchmarks.lagpollchild poll ROUNDS | members COUNT

`poll` polls as the worker does, one round every INTERVAL, the first one unmeasured; it prints as JSON the seconds and
the processor seconds of each round. `members` joins the first COUNT groups with one member each, says `ready`, and
stays. Log, database and namespace come from the environment.
"""

import asyncio
import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.lagpoll import INTERVAL, LagPoll  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402

AT_ONCE = 10


async def poll(rounds: int) -> None:
    """Poll so many times, and print what each took."""
    commands = manifest().topic_named("run.task.commands")
    judge, told, groups = LagPoll(open_eventlog(), commands), [], 0
    for _ in range(rounds + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        groups = len(await judge.poll())
        await judge.thin()
        took = time.perf_counter() - wall
        told.append((took, time.process_time() - cpu))
        await asyncio.sleep(max(0.5, INTERVAL - took))
    await judge.close()
    await close_eventlog()
    print(json.dumps({"groups": groups, "interval": INTERVAL, "rounds": told[1:]}))


async def members(count: int) -> None:
    """Be one member of each of so many groups, for ever."""
    log, topic = open_eventlog(), manifest().topic_named("run.task.commands")
    room = asyncio.Semaphore(AT_ONCE)

    async def join(number: int) -> None:
        async with room:
            member = await log.join(f"agent.g{number}", [topic], client_id=f"g{number}-1", session_timeout=45.0)
            async with asyncio.timeout(60):
                while not member.assignment():
                    await member.poll(1, 0.2)

    await asyncio.gather(*(join(number) for number in range(count)))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"poll": poll, "members": members}[sys.argv[1]](int(sys.argv[2])))
