"""A stage for agents under test: a log, a client, running instances, and what stands on the log afterwards."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from coordination.agent import Agent, Client, Retry
from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import EventLog, NewRecord, Record, TopicPartition
from coordination.manifest import TOPICS, Manifest
from coordination.memorylog import MemoryLog
from coordination.projection import Layout, Rows, fold
from coordination.signing import Keyring, SigningKey
from coordination.tasks import Task

QUICK = Retry(attempts=3, base=0.01, cap=0.02)
MANIFEST = Manifest()
DECISION_KEY = SigningKey.generate()


class Stage:
    """One log with everything on it. Leave it with `close`: then no event may have been out of order."""

    def __init__(self, log: EventLog | None = None, manifest: Manifest = MANIFEST) -> None:
        self.log = log or MemoryLog()
        self.manifest = manifest
        self.client = Client(self.log, "tester", manifest=manifest)
        self._running: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        self._decoder = Decoder(manifest)

    async def open(self) -> None:
        """Make the topics."""
        await self.log.create_topics(self.manifest.specs())

    def agent(self, group: str, **limits: Any) -> Agent:
        """An agent that retries quickly and trusts the stage's decision key."""
        defaults: dict[str, Any] = {
            "retry": QUICK,
            "keyring": Keyring.of(DECISION_KEY),
            "grace": 2.0,
            "heartbeat": 60.0,
        }
        return Agent(group, log=self.log, manifest=self.manifest, **(defaults | limits))

    def start(
        self, agent: Agent, agent_id: str = "", log: EventLog | None = None
    ) -> tuple[asyncio.Task[None], asyncio.Event]:
        """Run one instance of an agent until the stage closes."""
        stop = asyncio.Event()
        task = asyncio.create_task(agent.serve(stop, agent_id=agent_id, log=log))
        self._running.append((task, stop))
        return task, stop

    async def staffed(self, group: str, instances: int, timeout: float = 60) -> None:
        """Wait until so many instances of an agent group share its partitions, so that no task is taken from one."""
        async with asyncio.timeout(timeout):
            while True:
                found = next((each for each in await self.log.groups() if each.group == f"agent.{group}"), None)
                members = (found.members or ()) if found is not None and found.state == "stable" else ()
                if len(members) == instances and all(member.partitions for member in members):
                    return
                await asyncio.sleep(0.1)

    async def stop(self, running: tuple[asyncio.Task[None], asyncio.Event]) -> None:
        """Stop one instance cleanly."""
        running[1].set()
        await running[0]

    def crash(self, running: tuple[asyncio.Task[None], asyncio.Event]) -> None:
        """End an instance without letting it say anything, as far as one process can do that to itself."""
        self._running.remove(running)
        running[0].cancel()

    async def close(self) -> None:
        """Stop everything; fail if an instance failed."""
        for _, stop in self._running:
            stop.set()
        await asyncio.gather(*(task for task, _ in self._running))
        self._running.clear()

    async def records(self, family: str) -> list[Record]:
        """All records of a topic family, in the order of each partition."""
        topic = self.manifest.topic_named(family)
        partitions = [TopicPartition(topic, number) for number in range(TOPICS[family].partitions)]
        ends = await self.log.ends(partitions)
        reader = await self.log.reader({partition: end.begin for partition, end in ends.items()})
        found: list[Record] = []
        while any(at < ends[partition].high for partition, at in reader.positions().items()):
            found.extend(await reader.read(500, 1.0))
        await reader.close()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def events(self, family: str = "run.task.events") -> list[Event]:
        """All events of a topic family; what is malformed is left out, as a projection leaves it out."""
        found = []
        for record in await self.records(family):
            with contextlib.suppress(MalformedRecord):
                found.append(self._decoder.decode(record))
        return found

    async def told(self, task_id: str) -> list[str]:
        """The names of a task's facts, in order."""
        return [event.name for event in await self.events() if event.task_id == task_id]

    async def until(
        self,
        name: str,
        *,
        task_id: str = "",
        count: int = 1,
        family: str = "",
        timeout: float = 10.0,
        every: float = 0.01,
    ) -> list[Event]:
        """Wait until so many events of a type are there, looking `every` so many seconds; fails when they are late."""
        family = family or self._family(name)

        def wanted(event: Event) -> bool:
            return event.name == name and task_id in ("", event.task_id)

        return await self.until_some(family, wanted, count, timeout, every)

    async def until_some(
        self,
        family: str,
        wanted: Callable[[Event], bool],
        count: int = 1,
        timeout: float = 10.0,
        every: float = 0.01,
    ) -> list[Event]:
        """Wait until so many events are there that are wanted."""
        found: list[Event] = []
        try:
            async with asyncio.timeout(timeout):
                while len(found) < count:
                    await asyncio.sleep(every)
                    found = [event for event in await self.events(family) if wanted(event)]
        except TimeoutError:
            told = Counter(event.name for event in await self.events())
            raise AssertionError(f"only {len(found)} of {count} came; told so far: {dict(told)}") from None
        return found

    async def decide(self, request: Event, decision: str = "approve", **changes: Any) -> None:
        """Answer an approval request as the relay would, with whatever is to be wrong about it."""
        data = request.data
        document = {
            "decision_id": f"decision-of-{data.approval_id}-{data.request_version}",
            "approval_id": data.approval_id,
            "request_version": data.request_version,
            "content_hash": data.content_hash,
            "fence": data.fence,
            "decision": decision,
            "valid_until": "2099-01-01T00:00:00Z",
        }
        key = changes.pop("key", DECISION_KEY)
        await self.resume(request, key.sign(document | changes))

    async def resume(self, request: Event, document: dict[str, Any], group: str = "", event_id: str = "") -> None:
        """Put a decision on the decision topic as it is."""
        said = self.client._voice.say(
            "task.resume.requested",
            run_id=request.run_id,
            task_id=request.task_id,
            target_group=group or request.agent_group,
            data=document,
        )
        await self.log.append([said.record])

    async def put(self, *records: NewRecord) -> None:
        """Append records as they are."""
        await self.log.append(records)

    async def rows(self) -> Rows:
        """What a projection makes of everything on the log."""
        rows = Rows(Layout(self.manifest.family_of))
        for family in TOPICS:
            if not family.startswith(("dlq", "run.state")):
                # A projection drops the same event on the same partition before it folds.
                events = {
                    (event.partition, event.source, event.id): event for event in reversed(await self.events(family))
                }
                fold(rows, reversed(events.values()))
        return rows

    async def task(self, task_id: str) -> Task:
        """The row of a task."""
        (row,) = [row for row in (await self.rows()).tasks.values() if row.task_id == task_id]
        return row

    async def anomalies(self) -> list[Any]:
        """Everything a projection finds out of order, but for commands that a test sent twice on purpose."""
        rows = await self.rows()
        found = [anomaly for task in rows.tasks.values() for anomaly in task.anomalies]
        found += [anomaly for fan in rows.fan_outs.values() for anomaly in fan.anomalies]
        return [anomaly for anomaly in found if anomaly.name != "requested_again"]

    def _family(self, name: str) -> str:
        return self.manifest.family_of(self.manifest.topic_for(name)) or ""
