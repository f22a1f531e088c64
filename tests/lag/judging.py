"""A program for tests: all scenarios at once on a real Kafka, judged poll by poll by our rules and by Burrow's.

    python -m tests.lag.judging SCALE TASKS

SCALE 1 is the speed that people know; 0.05 makes two minutes six seconds. So many TASKS has the agent that thinks, of
180 s each before scale. Database, log and folder
come from the environment. Prints one JSON line for each scenario: from when to when each was said of it.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from coordination.agent import Client  # noqa: E402
from coordination.eventlog import EventLog, NewRecord, TopicPartition  # noqa: E402
from coordination.manifest import TOPICS  # noqa: E402
from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.lagpoll import LagPoll  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import Agent, Task  # noqa: E402
from tests.lag.actors import named  # noqa: E402
from tests.lag.burrow import ENDS_EVERY, ERRORS, Burrow  # noqa: E402
from tests.lag.commitlog import CommitLog, open_commitlog  # noqa: E402
from tests.lag.scenarios import ALARMS, AT_ONCE, HOT, SCENARIOS, Ask, Scenario, limits, said  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
OFFSETS_PARTITIONS = 8
ALONE = ("killed", "poisoned")
TOGETHER = ("thinking", "deep", "deaf", "hanging", "hot", "stormy")
PATIENCE, LATE = 180.0, 30.0


class Watched:
    """What was said of one scenario since its trouble began."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.since = scenario, time.time()
        self.ours: Counter[str] = Counter()
        self.theirs: Counter[str] = Counter()
        self.alarm: tuple[str, float, str] | None = None
        self.words: dict[str, str] = {}
        self.error_after: float | None = None

    def see(self, row: dict[str, Any], status: str, now: float) -> None:
        """A poll."""
        state, right = row["verdict"]["state"], self.scenario.right
        self.ours[state] += 1
        self.words[state] = said(row)
        self.theirs[status] += 1
        if state in right and self.scenario.says in said(row) and self.alarm is None:
            self.alarm = (state, now - self.since, said(row))
        if status in ERRORS and self.error_after is None:
            self.error_after = now - self.since

    def told(self) -> dict[str, Any]:
        """As it is printed."""
        ours, theirs = (
            {word: count / counts.total() for word, count in counts.items()} for counts in (self.ours, self.theirs)
        )
        found = {"alarm": self.alarm, "error_after": self.error_after, "words": self.words}
        found["alarms"] = [state for state in self.ours if state in ALARMS]
        return {"group": self.scenario.group, "ours": ours, "burrow": theirs, **found}


class Judge:
    """Polls, feeds Burrow, and remembers what both said."""

    def __init__(self, log: EventLog, commits: CommitLog, scale: float) -> None:
        self.log, self.commits, self.scale = log, commits, scale
        self.commands = manifest().topic_named("run.task.commands")
        self.poll = LagPoll(log, self.commands, limits=limits(scale))
        self.burrow, self.looked = Burrow(), 0.0
        self.watched: dict[str, Watched] = {}

    def begin(self, *groups: str) -> None:
        """The trouble of these begins now."""
        self.watched |= {named(one.group): Watched(one) for one in SCENARIOS if one.group in groups}

    def settled(self) -> bool:
        """Whether all that is wrong was called so, or is overdue."""
        late = lambda one: time.time() - one.since > one.scenario.within * self.scale + LATE  # noqa: E731
        return all(one.alarm or not one.scenario.right or late(one) for one in self.watched.values())

    async def run(self) -> None:
        """For ever: a poll every 3 s, a look at the ends every 10 s, both at scale."""
        while True:
            began = time.time()
            if began - self.looked >= ENDS_EVERY * self.scale:
                self.looked = began
                await self._ends()
            for kept in await self.commits.read():
                self.burrow.commit(kept.group, kept.where, kept.offset, kept.at)
            rows = {row["group"]: row for row in await self.poll.poll()}
            for group in self.watched.keys() & rows.keys():
                status = self.burrow.status(f"agent.{group}", time.time())
                self.watched[group].see(rows[group], status, time.time())
            await asyncio.sleep(max(0.25, 3 * self.scale - (time.time() - began)))

    async def _ends(self) -> None:
        places = [TopicPartition(self.commands, n) for n in range(TOPICS["run.task.commands"].partitions)]
        for where, end in (await self.log.ends(places)).items():
            self.burrow.end(where, end.high)


class Keyed:
    """A log that gives every record the same key, as whoever asks by account or customer would: one partition."""

    def __init__(self, log: EventLog, key: str) -> None:
        self.log, self.key = log, key.encode()

    async def append(self, records: Sequence[NewRecord]) -> Any:
        """Append them under the key."""
        return await self.log.append([msgspec.structs.replace(record, key=self.key) for record in records])


class Play:
    """Carries the scenarios out: asks for tasks, kills, starts again what a poisonous task killed."""

    def __init__(self, log: EventLog, scale: float, tasks: int) -> None:
        self.log, self.scale = log, scale
        self.asks = (Ask("thinking", [180.0] * tasks), *AT_ONCE)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *groups: str) -> None:
        """A process with these agents."""
        self.processes[name] = start(name, "-m", "tests.lag.actors", str(self.scale), *groups)

    async def ask(self, *asks: Ask) -> None:
        """Ask for tasks, in order."""
        for one in asks:
            key = one.key or one.group
            client = Client(Keyed(self.log, key), "planner", manifest=manifest())  # type: ignore[arg-type]
            for seconds in one.seconds:
                given = {"seconds": seconds * self.scale, "poison": one.poison}
                await client.request(f"run-{key}", "think", named(one.group), input=given)

    async def heat(self) -> None:
        """More for one key than its agent can do, minute after minute."""
        while True:
            await self.ask(*HOT)
            await asyncio.sleep(60 * self.scale)

    async def revive(self) -> None:
        """Whoever watches over the agents of `poisoned` starts them again, always."""
        while True:
            if self.processes["poisoned"].poll() is not None:
                self.start("poisoned", "poisoned")
            await asyncio.sleep(0.1)

    async def ready(self) -> bool:
        """Whether all agents have joined, and somebody reads what they say."""
        found = {info.group for info in await self.log.groups() if info.members}
        heard = Agent.objects.filter(last_heartbeat_at__isnull=False).values_list("agent_group", flat=True)
        read = {group async for group in heard}
        groups = [named(group) for group in (*TOGETHER, *ALONE)]
        return found >= {f"agent.{group}" for group in groups} and read >= set(groups)

    async def kill(self, judge: Judge) -> None:
        """Kill the only consumer of `killed` in the midst of its first task."""
        group = named("killed")
        await until(Task.objects.filter(agent_group=group, state="working").aexists)
        await asyncio.sleep(20 * self.scale)
        self.processes["killed"].kill()
        judge.begin("killed")

    async def done(self) -> bool:
        """Whether the healthy ones have done all they were asked for. Raises AssertionError when one has died."""
        assert self.processes["together"].poll() is None, logged("together")
        healthy = [one.group for one in SCENARIOS if not one.right]
        asked = sum(len(one.seconds) for one in self.asks if one.group in healthy)
        ended = Task.objects.filter(agent_group__in=map(named, healthy), ended_at__isnull=False)
        return await ended.acount() == asked


async def until(holds: Any, patience: float = PATIENCE) -> None:
    """Wait until it is true."""
    async with asyncio.timeout(patience):
        while not await holds():
            await asyncio.sleep(0.1)


def start(name: str, *words: str) -> subprocess.Popen[bytes]:
    """A process of its own; what it says lies in the state folder."""
    with (Path(settings.LINESIDE_STATE) / f"{name}.log").open("ab") as file:
        return subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=file, stderr=file)


def logged(name: str) -> str:
    """The end of what a process said."""
    return (Path(settings.LINESIDE_STATE) / f"{name}.log").read_text()[-3_000:]


async def main(scale: float, tasks: int) -> None:
    """Everything at once, until the healthy ones have done their work and all that is wrong was called so."""
    log = open_eventlog()
    await log.create_topics(manifest().specs())
    worker = start("worker", "manage.py", "worker", "--roles", "ingest")
    play = Play(log, scale, tasks)
    try:
        play.start("together", *TOGETHER)
        for name in ALONE:
            play.start(name, name)
        await until(play.ready)
        judge = Judge(log, await open_commitlog(log, OFFSETS_PARTITIONS), scale)  # type: ignore[arg-type]
        judge.begin(*(one.group for one in SCENARIOS if one.group != "killed"))
        await play.ask(*play.asks)
        acts = [asyncio.create_task(act) for act in (judge.run(), play.heat(), play.revive(), play.kill(judge))]
        await until(play.done, PATIENCE + 5_400 * scale)
        while not judge.settled():
            await asyncio.sleep(1)
        assert worker.poll() is None, logged("worker")
        for act in acts:
            if act.done():
                await act
            act.cancel()
    finally:
        for process in (worker, *play.processes.values()):
            process.kill()
            process.wait()
    await judge.poll.close()
    await judge.commits.close()
    await close_eventlog()
    for watched in judge.watched.values():
        print(json.dumps(watched.told()), flush=True)


if __name__ == "__main__":
    call_command("migrate", verbosity=0, skip_checks=True)
    asyncio.run(main(float(sys.argv[1]), int(sys.argv[2])))
