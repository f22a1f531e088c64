"""Lag, waiting and age over random histories equal the truth, counted record by record on a model of the broker."""

import pytest
from asgiref.sync import sync_to_async

from coordination.eventlog import TopicPartition
from dashboard.lagpoll import LagPoll
from tests.lag.brokermodel import BrokerModel
from tests.lag.history import ACTS, PARTITIONS, Act, Kept, Truth, acts
from tests.lag.tasks import keep, start

SIDE_BY_SIDE, MANY = 20, 100
pytestmark = pytest.mark.django_db(transaction=True)


class Story:
    """One history carried out on the model: its topic, its group, and the truth about it."""

    def __init__(self, broker: BrokerModel, number: int, clock: list[float]) -> None:
        self.broker, self.number, self.clock = broker, number, clock
        self.topic, self.group = f"t{number}.run.task.commands", f"g{number}"
        self.truth, self.made, self.recreated = Truth(), 0, False
        broker.create(self.topic, PARTITIONS)
        broker.positions[f"agent.{self.group}"] = {}

    def carry_out(self, act: Act) -> None:
        getattr(self, f"_{act.name}")(act, self.broker.partitions[TopicPartition(self.topic, act.partition)])

    def _tasks(self, act: Act, offsets: range) -> None:
        self.clock[0] += 0.25
        at = int(self.clock[0] * 1000)
        records = [Kept(act.partition, offset, at, f"{self.made + n}") for n, offset in enumerate(offsets)]
        self.made += len(records)
        self.truth.waiting += records
        keep(self.topic, self.group, records)

    def _produce(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        if part.open_at is None:
            self._tasks(act, part.append(act.count))

    def _transaction(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        if part.open_at is None:
            self._tasks(act, part.append(act.count))
            part.append(1)  # the marker

    def _abort(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        part.append(act.count + 1)

    def _noise(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        part.append(act.count)

    def _compaction(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        part.compact(part.append(act.count + 1))

    def _open(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        part.open_at = part.high
        part.append(act.count)

    def _commit(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        before = self.truth.commits.get(act.partition, part.begin)
        self._stand(act, before + round((part.ends().stable - before) * act.share))

    def _rewind(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        if act.partition in self.truth.commits:
            self._stand(act, round(self.truth.commits[act.partition] * act.share))

    def _stand(self, act: Act, offset: int) -> None:
        self.truth.commit(act.partition, offset)
        self.broker.positions[f"agent.{self.group}"][TopicPartition(self.topic, act.partition)] = offset

    def _delete(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        part.begin += round((part.ends().stable - part.begin) * act.share)
        self.truth.begin[act.partition] = part.begin

    def _start(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        begun = [one for one in self.truth.waiting if one.partition == act.partition][: act.count]
        self.truth.waiting = [one for one in self.truth.waiting if one not in begun]
        start(self.topic, [one.task for one in begun], int(self.clock[0] * 1_000_000))

    def _recreate(self, act: Act, part) -> None:  # type: ignore[no-untyped-def]
        self.broker.create(self.topic, PARTITIONS)
        self.truth.recreate()
        self.recreated = True

    def check(self, row: dict[str, object], now: float) -> None:
        waiting = [self.truth.of(number) for number in range(PARTITIONS)]
        assert row["waiting"] == sum(map(len, waiting)), (self.number, row)
        oldest = min((one.at for each in waiting for one in each), default=None)
        assert row["age_seconds"] == pytest.approx(0 if oldest is None else now - oldest / 1000, abs=0.01), self.number
        parts = [part for part in row["partitions"] if part["topic"] == self.topic]  # type: ignore[attr-defined]
        for part, mine in zip(parts, waiting, strict=True):
            where = TopicPartition(self.topic, part["partition"])
            commit, ends = self.truth.commits.get(where.partition), self.broker.partitions[where].ends()
            assert part["waiting"] == len(mine), (self.number, part)
            assert part["lag"] == (None if commit is None else ends.high - commit), (self.number, part)
            assert part["state"] == self.state(commit, ends, len(mine)), (self.number, part)

    def state(self, commit: int | None, ends, waiting: int) -> str:  # type: ignore[no-untyped-def]
        if self.recreated:
            return "topic recreated"
        if commit is None:
            return "not started"
        if commit < ends.begin:
            return "truncated"
        if commit >= ends.stable:
            return "blocked by an open transaction" if ends.stable < ends.high else "caught up"
        return "behind" if waiting else "caught up"


async def tell(numbers: range) -> None:
    """Carry out these histories side by side; poll before, in the midst and at the end."""
    clock, broker = [1_700_000_000.0], BrokerModel()
    stories = await sync_to_async(lambda: [Story(broker, number, clock) for number in numbers])()
    poll = LagPoll(broker, *(story.topic for story in stories), clock=lambda: clock[0])  # type: ignore[arg-type]
    await poll.poll()
    left = {story.number: acts(story.number) for story in stories}
    while any(left.values()):
        clock[0] += 1.0
        for story in stories:
            story.recreated = False

        def one_each() -> None:
            for story in stories:
                if left[story.number]:
                    story.carry_out(left[story.number].pop(0))

        await sync_to_async(one_each)()
        clock[0] += 60.0
        rows = {row["group"]: row for row in await poll.poll()}
        for story in stories:
            story.check(rows[story.group], clock[0])
    await poll.close()


@pytest.mark.parametrize("numbers", [range(60), range(60, 2_060)])
def test_everything_that_may_happen_happens(numbers: range) -> None:
    told = [{act.name for act in acts(number)} for number in numbers]
    assert set().union(*told) == {*ACTS, "open"}
    assert any("commit" not in names for names in told)
    assert sum("compaction" in names for names in told) > len(told) / 10


async def test_sixty_histories() -> None:
    for first in range(0, 60, SIDE_BY_SIDE):
        await tell(range(first, first + SIDE_BY_SIDE))


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_two_thousand_histories() -> None:
    for first in range(60, 2_060, MANY):
        await tell(range(first, first + MANY))
