"""Lag against a real Kafka: random histories as Kafka's own tool counts them, and a group of the new protocol."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient

from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from coordination.kafkalog import groups as group_lists
from dashboard.lagpoll import LagPoll
from tests.lag.history import PARTITIONS, Act, Kept, Truth, acts
from tests.lag.tasks import keep, start
from tests.services.kafka import KafkaBroker

pytestmark = pytest.mark.django_db(transaction=True)
HISTORIES = 60
ROLL_MS = 100
COMPACTED = {
    "cleanup.policy": "compact,delete",
    "segment.ms": str(ROLL_MS),
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": str(ROLL_MS),
}
SIDE_BY_SIDE = 6


class Story:
    """One history carried out on Kafka: its topic, its group, and the truth about it."""

    def __init__(self, log: KafkaLog, bootstrap: str, namespace: str, number: int) -> None:
        self.log, self.bootstrap, self.number = log, bootstrap, number
        self.look: Callable[[], Awaitable[Any]] | None = None
        self.topic, self.group = f"{namespace}.h{number}.run.task.commands", f"{namespace}-g{number}"
        self.truth, self.made, self.open = Truth(), 0, None
        self.keys = self.again = 0
        self.blocked: set[int] = set()
        self.deleted = False

    async def tell(self) -> None:
        for act in acts(self.number):
            await getattr(self, f"_{act.name}")(act)

    async def _create(self) -> None:
        config = {"message.timestamp.type": "LogAppendTime", "segment.bytes": "1048576", **COMPACTED}
        await self.log.create_topics([TopicSpec(self.topic, PARTITIONS, config=config)])

    def _records(self, act: Act, word: bytes = b"task") -> list[NewRecord]:
        # Every record has a key of its own, so that compaction leaves it alone.
        self.keys += act.count
        keys = range(self.keys - act.count, self.keys)
        return [NewRecord(self.topic, b"k%d" % key, word, partition=act.partition) for key in keys]

    async def _kept(self, appended: Any) -> None:
        records = [Kept(at.partition, at.offset, at.timestamp, f"{self.made + n}") for n, at in enumerate(appended)]
        self.made += len(records)
        self.truth.waiting += records
        await sync_to_async(keep)(self.topic, self.group, records)

    async def _produce(self, act: Act) -> None:
        await self._kept(await self.log.append(self._records(act)))

    async def _transaction(self, act: Act) -> None:
        producer = await self.log.transaction(f"{self.topic}.tx")
        await self._kept(await producer.append(self._records(act)))
        await producer.close()

    async def _abort(self, act: Act) -> None:
        await asyncio.to_thread(self._aborted, act)

    def _aborted(self, act: Act) -> None:
        producer = self._producer("abort")
        self._write(producer, act)
        producer.abort_transaction(15)

    async def _open(self, act: Act) -> None:
        self.open = await asyncio.to_thread(self._opened, act)
        self.blocked.add(act.partition)

    def _opened(self, act: Act) -> Producer:
        producer = self._producer("open")
        self._write(producer, act)
        return producer

    def _producer(self, name: str) -> Producer:
        producer = Producer({"bootstrap.servers": self.bootstrap, "transactional.id": f"{self.topic}.{name}"})
        producer.init_transactions(15)
        producer.begin_transaction()
        return producer

    def _write(self, producer: Producer, act: Act) -> None:
        for record in self._records(act):
            producer.produce(self.topic, b"no task", key=record.key, partition=act.partition)
        producer.flush(15)

    async def _noise(self, act: Act) -> None:
        await self.log.append(self._records(act, b"noise"))

    async def _compaction(self, act: Act) -> None:
        noise = NewRecord(self.topic, b"again", b"noise", partition=act.partition)
        await self.log.append([noise] * (act.count + 1))
        self.again += act.count + 2
        # The segment that is written to is never compacted: one more record closes it.
        await asyncio.sleep(2 * ROLL_MS / 1000)
        await self.log.append([noise])

    async def compacted(self) -> bool:
        """Whether compaction has taken any of the records that have the key of later ones."""
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        ends, found = await self.log.ends(places), 0
        reader = await self.log.reader({where: end.begin for where, end in ends.items()})
        while any(reader.positions()[where] < end.stable for where, end in ends.items()):
            found += sum(record.key == b"again" for record in await reader.read(500, 0.2))
        await reader.close()
        return found < self.again

    async def _commit(self, act: Act) -> None:
        where = TopicPartition(self.topic, act.partition)
        stable = (await self.log.ends([where]))[where].stable
        before = self.truth.commits.get(act.partition, self.truth.begin[act.partition])
        await self._stand(act, before + round(max(0, stable - before) * act.share))

    async def _rewind(self, act: Act) -> None:
        if act.partition in self.truth.commits:
            await self._stand(act, round(self.truth.commits[act.partition] * act.share))

    async def _stand(self, act: Act, offset: int) -> None:
        await self.log.set_commits(f"agent.{self.group}", {TopicPartition(self.topic, act.partition): offset})
        self.truth.commit(act.partition, offset)

    async def _delete(self, act: Act) -> None:
        where = TopicPartition(self.topic, act.partition)
        ends = (await self.log.ends([where]))[where]
        to = ends.begin + round((ends.stable - ends.begin) * act.share)
        if to > ends.begin:
            await asyncio.to_thread(_delete_records, self.bootstrap, where, to)
        self.truth.begin[act.partition], self.deleted = to, True

    async def _start(self, act: Act) -> None:
        begun = [one for one in self.truth.waiting if one.partition == act.partition][: act.count]
        self.truth.waiting = [one for one in self.truth.waiting if one not in begun]
        await sync_to_async(start)(self.topic, [one.task for one in begun], time.time_ns() // 1000)

    async def _recreate(self, act: Act) -> None:
        # Task rows of the old topic stay in the tables; the poll knows them for gone, to within one poll.
        if self.look:
            await self.look()
        await self.log.delete_topic(self.topic)
        await self._create()
        self.truth.recreate()
        self.again = 0

    def check(self, row: dict[str, Any], told: dict[tuple[str, int], Any]) -> None:
        for part in (part for part in row["partitions"] if part["topic"] == self.topic):
            number = part["partition"]
            mine = self.truth.of(number)
            kafka = told.get((self.topic, number))
            assert part["lag"] == (kafka.lag if kafka else None), (self.number, part, kafka)
            assert part["commit"] == self.truth.commits.get(number), (self.number, part)
            assert part["waiting"] == len(mine), (self.number, part, mine)
            oldest = min((one.at for one in mine), default=None)
            age = 0.0 if oldest is None else row["revision"] / 1_000_000 - oldest / 1000
            assert part["age_seconds"] == pytest.approx(age, abs=0.01), (self.number, part)


def _delete_records(bootstrap: str, where: TopicPartition, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_records([Place(where.topic, where.partition, offset)]).values():
        future.result(15)


@pytest.mark.timeout(900)
async def test_sixty_histories_as_kafkas_own_tool_counts_them(kafka: KafkaBroker, namespace: str) -> None:
    log = open_kafkalog(f"kafka://{kafka.bootstrap}")
    stories = [Story(log, kafka.bootstrap, namespace, number) for number in range(HISTORIES)]
    poll, one_by_one = LagPoll(log, *(story.topic for story in stories)), asyncio.Lock()
    left = list(stories)

    async def look() -> list[dict[str, Any]]:
        async with one_by_one:
            return await poll.poll()

    async def some() -> None:
        while left:
            await left.pop().tell()

    for story in stories:
        await story._create()
        story.look = look
    await poll.poll()
    await asyncio.gather(*(some() for _ in range(SIDE_BY_SIDE)))
    squeezed = [story for story in stories if story.again and not story.deleted]
    async with asyncio.timeout(60):
        while not any([await story.compacted() for story in squeezed[:6]]):
            await asyncio.sleep(0.5)
    poll._topics_at = float("-inf")
    rows = {row["group"]: row for row in await poll.poll()}
    names = [f"agent.{story.group}" for story in stories if story.truth.commits]
    told = await asyncio.to_thread(kafka.group_lags, *names)
    by_place = {(each.topic, each.partition): each for each in told}
    for story in stories:
        if story.group in rows:
            story.check(rows[story.group], by_place)
    await poll.close()
    await log.close()


async def test_lag_of_a_group_of_the_new_protocol_is_right_and_its_members_are_never_taken_for_dead(
    kafka: KafkaBroker, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_kafkalog(f"kafka://{kafka.bootstrap}")
    story = Story(log, kafka.bootstrap, namespace, 7)
    await story._create()
    await story._produce(Act("produce", 0, 5, 0))
    settings = {"bootstrap.servers": kafka.bootstrap, "group.id": f"agent.{story.group}", "group.protocol": "consumer"}
    settings |= {"client.id": "librdkafka", "enable.auto.commit": "false", "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    consumer.subscribe([story.topic])
    try:
        async with asyncio.timeout(60):
            while (message := await asyncio.to_thread(consumer.poll, 0.2)) is None or message.error():
                continue
        await asyncio.to_thread(consumer.commit, message, None, False)
        story.truth.commit(0, 1)
        poll = LagPoll(log, story.topic)
        (row,) = [row for row in await poll.poll() if row["group"] == story.group]
        told = await asyncio.to_thread(kafka.group_lags, f"agent.{story.group}")
        story.check(row, {(each.topic, each.partition): each for each in told})
        assert (row["members"], row["member_names"]) == (1, ["librdkafka"])

        def unreadable(names: Any) -> Any:
            raise OSError("no answer")

        monkeypatch.setattr(group_lists, "ask_consumer_groups", unreadable)
        poll._clock = lambda: time.time() + 60
        (row,) = [row for row in await poll.poll() if row["group"] == story.group]
        assert (row["members"], row["waiting"]) == (None, 4)
        assert row["verdict"]["state"] == "working"
        await poll.close()
    finally:
        await asyncio.to_thread(consumer.close)
        await log.close()
