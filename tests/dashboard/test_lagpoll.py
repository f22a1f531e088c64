"""The lag poll against a real log: what it asks, in which order, and what it says when it cannot see."""

import msgspec
import pytest
from asgiref.sync import sync_to_async

from coordination.errors import LogDenied
from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.memorylog import MemoryLog
from coordination.tasks import Task as TaskRow
from dashboard.lagpoll import LagPoll
from dashboard.models import ConsumerGroup, GroupSnapshot, Position, Task

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "coord.run.task.commands"
FIRST = TopicPartition(TOPIC, 0)
NOW = 1_700_000_000.0


class Recorded(MemoryLog):
    """Tells which questions were asked, and refuses those about groups that are not to be read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.closed: set[str] = set()

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        self.asked.append("commits")
        if group in self.closed:
            raise LogDenied("no right")
        return await super().commits(group)

    async def ends(self, partitions):  # type: ignore[no-untyped-def]
        self.asked.append("ends")
        return await super().ends(partitions)


@pytest.fixture
async def log() -> Recorded:
    log = Recorded()
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await log.append([NewRecord(TOPIC, b"k", b"{}", partition=0) for _ in range(10)])
    await log.set_commits("agent.coder", {FIRST: 4})
    return log


@sync_to_async
def waiting_task(name: str, offset: int, *, age: float = 8.0, state: str = "requested", group: str = "coder") -> None:
    at = int((NOW - age) * 1_000_000)
    row = TaskRow(
        run_id="r",
        task_id=name,
        task_type="fix",
        agent_group=group,
        state=state,
        command_topic=TOPIC,
        command_partition=0,
        command_offset=offset,
    )
    Task.objects.create(
        run_id="r",
        task_id=name,
        shard="2-0",
        state=state,
        task_type="fix",
        agent_group=group,
        requested_at=at,
        command_topic=TOPIC,
        command_partition=0,
        command_offset=offset,
        revision=1,
        body=msgspec.json.encode(row).decode(),
    )


async def test_commits_are_asked_before_ends(log: Recorded) -> None:
    await LagPoll(log, TOPIC, clock=lambda: NOW).poll()
    # What the page of topics needs is asked apart, and before.
    assert log.asked[-2:] == ["commits", "ends"]


async def test_waiting_counts_tasks_while_the_gap_counts_offsets(log: Recorded) -> None:
    await waiting_task("passed", 2)
    await waiting_task("first", 5)
    await waiting_task("second", 7, age=3.0)
    (row,) = await LagPoll(log, TOPIC, clock=lambda: NOW).poll()
    assert (row["group"], row["waiting"], row["offset_gap"], row["age_seconds"]) == ("coder", 2, 6, 8.0)
    first, second = row["partitions"]
    assert (first["state"], first["commit"], first["end"], first["lag"]) == ("behind", 4, 10, 6)
    assert (second["state"], second["commit"]) == ("not started", None)


async def test_a_group_that_may_not_be_read_is_unknown_while_others_go_on(log: Recorded) -> None:
    await waiting_task("first", 5)
    await log.set_commits("agent.payer", {FIRST: 10})
    log.closed.add("agent.coder")
    rows = {row["group"]: row for row in await LagPoll(log, TOPIC, clock=lambda: NOW).poll()}
    assert rows["coder"]["verdict"]["state"] == "unknown"
    assert rows["coder"]["waiting"] is None
    assert rows["payer"]["waiting"] == 0


async def test_a_group_that_the_log_does_not_know_has_no_member(log: Recorded) -> None:
    await waiting_task("first", 5, age=60.0, group="payer")
    rows = {row["group"]: row for row in await LagPoll(log, TOPIC, clock=lambda: NOW).poll()}
    assert (rows["payer"]["members"], rows["payer"]["verdict"]["state"]) == (0, "unassigned")


async def test_silence_means_nothing_as_long_as_the_log_is_not_read_up(log: Recorded) -> None:
    await waiting_task("first", 5, age=600.0)
    member = await log.join("agent.coder", [TOPIC], client_id="coder-1", session_timeout=3_600.0)
    await member.poll(1, 0.0)
    now = [NOW]
    poll = LagPoll(log, TOPIC, clock=lambda: now[0])
    await sync_to_async(Position.objects.create)(topic=TOPIC, partition=0, next_offset=9, shard="2-0")
    for seconds, offset, state in ((0, 10, "stuck"), (1, 9, "stuck"), (200, 9, "unknown"), (201, 10, "stuck")):
        now[0] = NOW + seconds
        await sync_to_async(Position.objects.update)(next_offset=offset)
        (row,) = await poll.poll()
        assert row["verdict"]["state"] == state, row["verdict"]


async def test_a_commit_that_moves_back_is_seen(log: Recorded) -> None:
    poll = LagPoll(log, TOPIC, clock=lambda: NOW)
    await poll.poll()
    await log.set_commits("agent.coder", {FIRST: 1})
    (row,) = await poll.poll()
    assert row["verdict"]["state"] == "rewound"


async def test_a_topic_made_anew_is_seen(log: Recorded) -> None:
    poll = LagPoll(log, TOPIC, clock=lambda: NOW)
    await poll.poll()
    await log.delete_topic(TOPIC)
    await log.create_topics([TopicSpec(TOPIC, 2)])
    await waiting_task("first", 5)
    (row,) = await poll.poll()
    assert row["partitions"][0]["state"] == "topic recreated"


async def test_history_is_kept_by_grain_and_thinned(log: Recorded) -> None:
    now = [NOW]
    poll = LagPoll(log, TOPIC, clock=lambda: now[0])
    for _ in range(40):
        await poll.poll()
        now[0] += 5
    grains = await sync_to_async(
        lambda: list(GroupSnapshot.objects.order_by("taken_at").values_list("grain", flat=True))
    )()
    assert len(grains) == 40
    assert grains[0] == 2
    assert 3 <= sum(1 for grain in grains if grain) <= 5
    now[0] += 16 * 60
    await poll.thin()
    assert await GroupSnapshot.objects.filter(grain=0).acount() == 0
    assert await GroupSnapshot.objects.acount() == sum(1 for grain in grains if grain)
    assert await ConsumerGroup.objects.acount() == 1
