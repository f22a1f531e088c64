"""The fate of random records over five groups equals what an oracle says that remembers everything that happened."""

import random
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from coordination.event import Event
from coordination.eventlog import TopicPartition
from dashboard.api.fate import fate
from dashboard.lagpoll import LagPoll
from dashboard.readers import readers
from tests.lag.brokermodel import BrokerModel
from tests.lag.history import Kept
from tests.lag.tasks import keep, turn

pytestmark = pytest.mark.django_db(transaction=True)
TOPIC = "coord.run.task.commands"
GROUPS = [f"g{number}" for number in range(5)]
PARTITIONS = 12
NOW = 1_700_000_000.0


class World:
    """A topic, five groups, tasks addressed to them; and what happened to each record, remembered one by one."""

    def __init__(self, count: int, seed: int = 7) -> None:
        self.rng = random.Random(seed)
        self.broker = BrokerModel()
        self.broker.create(TOPIC, PARTITIONS)
        self.broker.positions = {f"agent.{group}": {} for group in GROUPS}
        self.addressee: dict[tuple[int, int], str] = {}
        self.work: dict[tuple[int, int], str] = {}
        self.read: dict[str, set[tuple[int, int]]] = {group: set() for group in GROUPS}
        self.deleted: set[tuple[int, int]] = set()
        for _ in range(count):
            number = self.rng.randrange(PARTITIONS)
            (offset,) = self.broker.partitions[TopicPartition(TOPIC, number)].append(1)
            self.addressee[number, offset] = self.rng.choice(GROUPS)

    def keep(self) -> None:
        for group in GROUPS:
            mine = [at for at, name in self.addressee.items() if name == group]
            keep(TOPIC, group, [Kept(number, offset, int(NOW * 1000), f"{number}-{offset}") for number, offset in mine])

    def advance(self) -> None:
        """Each group reads on somewhere, and goes back somewhere else: no poll sees a step forth and back again."""
        for group in GROUPS:
            positions = self.broker.positions[f"agent.{group}"]
            onward = self.rng.sample(range(PARTITIONS - 1), 8)  # Nobody ever comes to the last.
            elsewhere = sorted(where for where in positions if where.partition not in onward)
            for number in onward:
                where = TopicPartition(TOPIC, number)
                high, before = self.broker.partitions[where].high, positions.get(where, 0)
                to = before + round((high - before) * self.rng.random())
                self.read[group] |= {(number, offset) for offset in range(before, to)}
                positions[where] = to
            if self.rng.random() < 0.5 and elsewhere:
                where = self.rng.choice(elsewhere)
                positions[where] = round(positions[where] * self.rng.random())

    def act(self) -> None:
        """Of the records that their group has read some are at work, some are done, of others nothing is told."""
        for at, group in self.addressee.items():
            if at in self.read[group]:
                self.work[at] = self.rng.choice(["working", "completed", ""])
        for number, offset in self.work:
            if state := self.work[number, offset]:
                ended = 2 if state == "completed" else None
                turn(TOPIC, f"{number}-{offset}", state=state, started_at=1, ended_at=ended)

    def delete(self) -> None:
        """Retention takes the beginning of some partitions, whoever has read it."""
        for number in range(0, PARTITIONS, 3):
            part = self.broker.partitions[TopicPartition(TOPIC, number)]
            part.begin = part.high // 3
            self.deleted |= {(number, offset) for offset in range(part.begin)}

    def oracle(self, at: tuple[int, int], group: str) -> str:
        """What became of a record for a group, by what is remembered of it alone."""
        commit = self.broker.positions[f"agent.{group}"].get(TopicPartition(TOPIC, at[0]))
        meant, work = self.addressee[at] == group, self.work.get(at, "")
        ahead = commit is not None and at[1] >= commit
        if commit is None:
            return {"working": "running", "completed": "done"}.get(work, "no position") if meant else "no position"
        if ahead and at in self.deleted:
            return "done" if meant and work == "completed" else "lost unread"
        if meant and work == "working":
            return "running"
        if ahead and at in self.read[group]:
            return "will be read again"
        if meant and work == "completed":
            return "done"
        if ahead:
            return "waiting"
        return "passed without result" if meant else "passed"


def event(at: tuple[int, int], group: str) -> Event:
    given: dict[str, Any] = {"time": 1, "at": 1, "run_id": TOPIC, "task_id": f"{at[0]}-{at[1]}", "target_group": group}
    kind = {"id": "e", "source": "s", "type": "coordination.task.requested", "name": "task.requested", "known": True}
    return Event(**kind, **given, topic=TOPIC, partition=at[0], offset=at[1])


async def compare(count: int) -> None:
    world = World(count)
    clock = [NOW]
    await sync_to_async(world.keep)()
    poll = LagPoll(world.broker, TOPIC, clock=lambda: clock[0])  # type: ignore[arg-type]
    for _ in range(4):
        world.advance()
        clock[0] += 3
        await poll.poll()
    await sync_to_async(world.act)()
    world.delete()
    clock[0] += 3
    await poll.poll()
    await poll.close()

    def check() -> None:
        known, words = readers(), set()
        for at, group in world.addressee.items():
            found = {row["group"]: row["fate"] for row in fate(event(at, group), int(clock[0] * 1e6), (), known)}
            expected = {name: world.oracle(at, name) for name in GROUPS}
            assert found == expected, at
            words |= set(expected.values())
        assert len(words) == 8, words

    await sync_to_async(check)()


async def test_a_thousand_records_over_five_groups() -> None:
    await compare(1_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_ten_thousand_records_over_five_groups() -> None:
    await compare(10_000)
