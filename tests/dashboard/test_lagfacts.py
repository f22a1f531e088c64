"""What the tables tell of waiting and running tasks, counted by hand."""

import msgspec
import pytest

from coordination.agents import Agent as AgentRow
from coordination.eventlog import TopicPartition
from coordination.tasks import Attempt
from coordination.tasks import Task as TaskRow
from dashboard import lagfacts
from dashboard.models import Agent, Task

pytestmark = pytest.mark.django_db

TOPIC = "coord.run.task.commands"
FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


def task(
    name: str,
    *,
    group: str = "coder",
    state: str = "requested",
    partition: int = 0,
    offset: int = 0,
    requested: int = 100,
    started: int | None = None,
    ended: int | None = None,
    starts: int = 0,
) -> None:
    row = TaskRow(
        run_id="r",
        task_id=name,
        task_type="fix",
        agent_group=group,
        state=state,
        requested_at=requested,
        command_topic=TOPIC,
        command_partition=partition,
        command_offset=offset,
        attempts=tuple(Attempt(number=n + 1, started_at=started) for n in range(starts)),
    )
    Task.objects.create(
        run_id="r",
        task_id=name,
        shard=f"12-{partition}",
        state=state,
        task_type="fix",
        agent_group=group,
        requested_at=requested,
        started_at=started,
        ended_at=ended,
        command_topic=TOPIC,
        command_partition=partition,
        command_offset=offset,
        attempt=starts,
        revision=1,
        body=msgspec.json.encode(row).decode(),
    )


def test_a_queue_counts_commands_nobody_took_up_per_group_and_partition() -> None:
    task("a", offset=4, requested=40)
    task("b", offset=7, requested=70)
    task("c", offset=9, state="working", started=95)
    task("d", offset=5, partition=1)
    task("e", offset=6, group="payer")
    assert lagfacts.queues() == {
        ("coder", FIRST): lagfacts.Queue(2, 40, 4, {"fix": 2}),
        ("coder", SECOND): lagfacts.Queue(1, 100, 5, {"fix": 1}),
        ("payer", FIRST): lagfacts.Queue(1, 100, 6, {"fix": 1}),
    }


def test_what_lies_before_the_commit_waits_no_more() -> None:
    task("a", offset=4, requested=40)
    task("b", offset=7, requested=70)
    task("c", offset=9, partition=1)
    assert lagfacts.queues({("coder", FIRST): 5}) == {
        ("coder", FIRST): lagfacts.Queue(1, 70, 7, {"fix": 1}),
        ("coder", SECOND): lagfacts.Queue(1, 100, 9, {"fix": 1}),
    }
    assert lagfacts.queues({("coder", FIRST): 8, ("coder", SECOND): 10}) == {}


def test_the_head_in_hand_is_the_first_open_task_at_the_commit_with_its_starts() -> None:
    task("a", offset=4, state="retry_wait", started=50, starts=3)
    task("b", offset=7, state="working", started=60, starts=1)
    task("c", offset=2)
    assert lagfacts.in_hand({}) == {("coder", FIRST): lagfacts.Head(4, "r", "a", 3)}
    assert lagfacts.in_hand({("coder", FIRST): 5}) == {("coder", FIRST): lagfacts.Head(7, "r", "b", 1)}
    assert lagfacts.in_hand({("coder", FIRST): 8}) == {}


def test_running_tasks_know_their_last_sign_of_life_from_heartbeats() -> None:
    task("a", state="working", started=50, starts=1)
    beat = AgentRow(agent_group="coder", agent_id="coder-1", heartbeat=(900, "h", 0, 1), running=("a",))
    Agent.objects.create(
        agent_group="coder",
        agent_id="coder-1",
        last_heartbeat_at=900,
        revision=1,
        body=msgspec.json.encode(beat).decode(),
    )
    (running,) = lagfacts.running()["coder"]
    assert (running.started_at, running.seen_at) == (50, 900)
    assert lagfacts.running_counts() == {"coder": 1}
    assert lagfacts.last_heartbeats() == {"coder": 900}


def test_arrivals_are_commands_of_a_window_of_offsets() -> None:
    for offset in range(5):
        task(f"t{offset}", offset=offset)
    assert lagfacts.arrived({FIRST: 3, SECOND: 0}) == {"coder": 2}


def test_what_lately_started_tells_how_long_tasks_take_and_when_the_last_began_and_ended() -> None:
    for n in range(10):
        task(f"t{n}", offset=n, state="completed", started=100 + n, ended=100 + n + 10 * (n + 1))
    assert lagfacts.last_acts(["coder", "payer"]) == {"coder": lagfacts.LastActs(started_at=109, ended_at=209)}
    assert lagfacts.durations("coder") == {"fix": (60, 100, 100)}
