"""A program for tests: the agents of the scenarios, each its own consumer group on Kafka.

    python -m tests.lag.actors SCALE GROUP …

Every group named gets one instance that works one task at a time, `hot` two. `deaf` is a member that lives and takes
nothing, `poisoned` one that forgets what it has begun, `stormy` has a second member that comes and goes. Runs until it
is ended, or a poisonous task ends it.
"""

import asyncio
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402

from coordination.agent import Agent, TaskContext  # noqa: E402
from coordination.agent.heartbeat import Heartbeat  # noqa: E402
from coordination.eventlog import EventLog, TopicPartition  # noqa: E402
from coordination.events.task import TaskCompleted  # noqa: E402
from coordination.kafkalog import open_kafkalog  # noqa: E402
from coordination.signing import Keyring  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402

SESSION = 6.0
CALM = 30.0
"""Seconds of silence after which an agent counts as dead: those that die are noticed soon, the others never."""
POISONED = 9
APART = ("deaf", "poisoned")
STAYS = 30.0
"""How long (s, before scale) the member of `stormy` stays that comes and goes."""


def named(group: str) -> str:
    """The agent group of a scenario: one of its own in every namespace, because brokers are shared."""
    return f"{settings.LINESIDE_NAMESPACE}-{group}"


def agent(group: str) -> Agent:
    """One that works off tasks one by one; each says how long it takes."""
    given = {"manifest": manifest(), "keyring": Keyring(), "heartbeat": 0.5, "grace": 0.0}
    given["session_timeout"] = SESSION if group in ("killed", "poisoned") else CALM
    made = Agent(named(group), concurrency=1, prefetch=1, **given)

    @made.task("think")
    async def think(task: TaskContext) -> str:
        await asyncio.sleep(task.input["seconds"])
        if task.input["poison"]:
            os._exit(POISONED)
        return "thought"

    return made


async def deaf(log: EventLog) -> None:
    """A member that polls and beats, and acts on nothing."""
    instance = agent("deaf")._instance(log, "deaf-1")
    heart = Heartbeat(instance)
    await heart.registered()
    beating = asyncio.create_task(heart.run())
    member = await log.join(instance.consumer_group, instance.topics, client_id="deaf-1", session_timeout=CALM)
    while not beating.done():
        await member.poll(1, 0.5)


async def forgetful(log: EventLog) -> None:
    """A plain consumer, as they are written without our runtime: what it had begun when it died it begins again."""
    name = f"poisoned-{os.getpid()}"
    instance = agent("poisoned")._instance(log, name)
    heart = Heartbeat(instance)
    await heart.registered()
    beating = asyncio.create_task(heart.run())
    member = await log.join(instance.consumer_group, instance.topics, client_id=name, session_timeout=SESSION)
    while not beating.done():
        for record in await member.poll(1, 0.5):
            event = instance.decoder.decode(record)
            if event.target_group == instance.group:
                await log.append([instance.say(event, "task.started").record])
                await asyncio.sleep(event.data.input["seconds"])
                if event.data.input["poison"]:
                    os._exit(POISONED)
                await log.append([instance.say(event, "task.completed", TaskCompleted()).record])
            await member.commit({TopicPartition(record.topic, record.partition): record.offset + 1})


async def visits(log: EventLog, scale: float) -> None:
    """A second member of `stormy`, again and again."""
    while True:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(max(0.5, STAYS * scale), stop.set)
        await agent("stormy").serve(stop, log=log, agent_id="stormy-2")
        await asyncio.sleep(max(0.2, STAYS * scale / 2))


async def main(scale: float, groups: list[str]) -> None:
    """Serve all of them, for ever."""
    log = lambda: open_kafkalog(settings.LINESIDE_LOG)  # noqa: E731
    names = [(group, f"{group}-1") for group in groups if group not in APART]
    names += [("hot", "hot-2")] if "hot" in groups else []
    works = [agent(group).serve(asyncio.Event(), log=log(), agent_id=name) for group, name in names]
    works += [deaf(log())] if "deaf" in groups else []
    works += [forgetful(log())] if "poisoned" in groups else []
    works += [visits(log(), scale)] if "stormy" in groups else []
    await asyncio.gather(*works)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
