"""Realistic traffic, deterministic by seed: busy runs, and everything that happens to runs and on logs.

Most of it is the load of the benchmarks. Mixed into it: small runs in which everything happens (fan-outs, joins,
retries, approvals, compensation, facts in an impossible order), producers that send a record again, types nobody
knows, records that are no events, dead letters, heartbeats. See `tests.hostile` for records that mean harm.
"""

import random
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from coordination.encoding import encode, new_event
from coordination.event import Event
from coordination.eventlog import NewRecord
from coordination.manifest import Manifest
from tests.benchmarks.workload import START, Workload
from tests.coordination.everything import Everything

NAMES: Final = ("approval_id", "decision_id", "retry_of", "tool_call_id")
AGAIN: Final = 400
"""How far back a producer reaches when it sends a record again."""


class Traffic:
    """An endless stream; `records(count)` gives the next ones in the order in which they would be appended.

    `odd` is the share of records that are not plain load.
    """

    def __init__(self, seed: int, *, namespace: str = "coord", odd: float = 0.15, live_runs: int = 20) -> None:
        self._random = random.Random(seed)
        self._manifest = Manifest(namespace)
        self._plain = Workload(seed=seed, namespace=namespace, live_runs=live_runs)
        self._odd = odd
        self._told: deque[NewRecord] = deque()
        self._recent: deque[NewRecord] = deque(maxlen=AGAIN)
        self._stories = 0
        self._asides = 0

    def records(self, count: int) -> list[NewRecord]:
        """The next `count` records."""
        found = []
        for _ in range(count):
            record = self._aside() if self._random.random() < self._odd else self._plain.records(1)[0]
            self._recent.append(record)
            found.append(record)
        return found

    def endless(self) -> Iterator[NewRecord]:
        """One record after the other, without end."""
        while True:
            yield from self.records(100)

    def _aside(self) -> NewRecord:
        self._asides += 1
        choice = self._random.random()
        if choice < 0.1 and self._recent:
            return self._random.choice(self._recent)
        if choice < 0.14 and self._recent:
            return self._dead_letter(self._random.choice(self._recent))
        if choice < 0.18 and self._recent:
            return self._malformed(self._random.choice(self._recent))
        if choice < 0.22:
            return self._heartbeat()
        if not self._told:
            self._told.extend(self._story())
        return self._told.popleft()

    def _story(self) -> Iterator[NewRecord]:
        self._stories += 1
        events = _Told(self._random.getrandbits(32), f"s{self._stories}").write().events()
        # As they were said, not partition by partition: what belongs together arrives together.
        for event in sorted(events, key=lambda one: (one.time, one.topic, one.partition, one.offset)):
            yield self._encoded(event)

    def _encoded(self, event: Event) -> NewRecord:
        topic = self._manifest.topic_named(Manifest().family_of(event.topic) or "run.task.events")
        key = event.task_id or event.run_id or event.agent_id
        record = encode(msgspec.structs.replace(event, topic=topic, partition_key=key))
        return msgspec.structs.replace(record, partition=event.partition)

    def _dead_letter(self, record: NewRecord) -> NewRecord:
        errors = {
            "__dlq.errors.topic": record.topic,
            "__dlq.errors.partition": str(record.partition or 0),
            "__dlq.errors.offset": str(self._random.randrange(10_000)),
            "__dlq.errors.group": "agent.write",
            "__dlq.errors.message": "ValueError: row 7 is empty",
        }
        headers = tuple((name, text.encode()) for name, text in errors.items())
        topic = self._manifest.topic_named("dlq.run")
        return NewRecord(topic, record.key, record.value, (*record.headers, *headers))

    def _malformed(self, record: NewRecord) -> NewRecord:
        spoilt: list[Any] = [
            msgspec.structs.replace(record, value=(record.value or b"")[:-3] + b"\xff"),
            msgspec.structs.replace(record, headers=()),
            msgspec.structs.replace(record, headers=(*record.headers, *record.headers[-1:])),
            msgspec.structs.replace(record, value=b"<html>502 Bad Gateway</html>"),
        ]
        return spoilt[self._random.randrange(len(spoilt))]  # type: ignore[no-any-return]

    def _heartbeat(self) -> NewRecord:
        agent = self._random.choice(("plan-1", "research-1", "research-2", "write-1", "review-1"))
        return new_event(
            "agent.heartbeat.recorded",
            source=f"/bench/agents/{agent}/i-1",
            time=START + self._asides,
            id=f"beat-{self._asides}",
            agent_id=agent,
            agent_group=agent.partition("-")[0],
            data={"agent_group": agent.partition("-")[0]},
            manifest=self._manifest,
        )


class _Told(Everything):
    """A story whose ids no other story has."""

    def __init__(self, seed: int, prefix: str) -> None:
        super().__init__(seed, tasks=8)
        self.foreign = False
        self._prefix = prefix
        self._events = 0

    def say(self, name: str, run: str, task: str = "", **rest: Any) -> Event:
        self._events += 1
        rest.setdefault("id", f"{self._prefix}-{self._events}")
        data = dict(rest.pop("data", None) or {})
        for field in NAMES:
            if data.get(field):
                data[field] = self._own(data[field])
        if data.get("depends_on"):
            data["depends_on"] = tuple(map(self._own, data["depends_on"]))
        for field in ("parent_task_id", "fanout_id"):
            if rest.get(field):
                rest[field] = self._own(rest[field])
        return super().say(name, self._own(run), self._own(task), data=data, **rest)

    def _own(self, name: str) -> str:
        return f"{self._prefix}.{name}" if name else ""
