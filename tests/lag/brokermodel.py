"""A model of the broker in a few lines: offsets, markers, transactions, retention, positions. It answers as an
EventLog does where the lag poll asks."""

from coordination.eventlog import Ends, GroupInfo, TopicInfo, TopicPartition
from coordination.ids import new_id


class Partition:
    """One partition: where it begins and ends, and where an open transaction began."""

    def __init__(self) -> None:
        self.begin = self.high = 0
        self.open_at: int | None = None
        self.gone: set[int] = set()

    def append(self, count: int) -> range:
        """So many records; returns their offsets."""
        first, self.high = self.high, self.high + count
        return range(first, self.high)

    def compact(self, offsets: range) -> None:
        """Of records with one key all but the last are gone: no end moves, a commit may stand where nothing is."""
        assert self.begin <= offsets.start < offsets.stop <= self.high
        self.gone |= set(offsets[:-1])

    def ends(self) -> Ends:
        """As a broker tells them."""
        return Ends(self.begin, self.high if self.open_at is None else self.open_at, self.high)


class BrokerModel:
    """Topics and groups in memory."""

    def __init__(self) -> None:
        self.partitions: dict[TopicPartition, Partition] = {}
        self.ids: dict[str, str] = {}
        self.positions: dict[str, dict[TopicPartition, int]] = {}

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic, or make it anew."""
        self.ids[topic] = new_id(0)
        for number in range(partitions):
            self.partitions[TopicPartition(topic, number)] = Partition()
        for committed in self.positions.values():
            for where in [where for where in committed if where.topic == topic]:
                del committed[where]

    async def topics(self) -> dict[str, TopicInfo]:
        counts: dict[str, int] = {}
        for where in self.partitions:
            counts[where.topic] = counts.get(where.topic, 0) + 1
        config = {"retention.ms": "604800000", "cleanup.policy": "delete"}
        return {name: TopicInfo(name, n, 1, config, self.ids[name]) for name, n in counts.items()}

    async def groups(self) -> list[GroupInfo]:
        return [GroupInfo(name, "empty", members=()) for name in self.positions]

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        return dict(self.positions.get(group, {}))

    async def ends(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Ends]:
        return {where: self.partitions[where].ends() for where in partitions if where in self.partitions}
