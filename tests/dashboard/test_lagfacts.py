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
        ("coder", FIRST): lagfacts.Queue(2, 40, 4),
        ("coder", SECOND): lagfacts.Queue(1, 100, 5),
        ("payer", FIRST): lagfacts.Queue(1, 100, 6),
    }


def test_what_lies_before_the_commit_waits_no_more() -> None:
    task("a", offset=4, requested=40)
    task("b", offset=7, requested=70)
    assert lagfacts.queue_from("coder", FIRST, 5) == lagfacts.Queue(1, 70, 7)
    assert lagfacts.queue_from("coder", FIRST, 8) == lagfacts.Queue(0, None, 8)


def test_the_head_is_the_first_open_task_at_the_commit_with_its_starts() -> None:
    task("a", offset=4, state="retry_wait", started=50, starts=3)
    task("b", offset=7)
    assert lagfacts.head("coder", FIRST, 0) == lagfacts.Head(4, "r", "a", 3)
    assert lagfacts.head("coder", FIRST, 5) == lagfacts.Head(7, "r", "b", 0)
    assert lagfacts.head("coder", FIRST, 8) is None


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


def test_recent_starts_give_durations_and_the_last_start() -> None:
    for n in range(10):
        task(f"t{n}", offset=n, state="completed", started=100 + n, ended=100 + n + 10 * (n + 1))
    recent = lagfacts.recent([FIRST])
    assert recent.last_start_at == {"coder": 109}
    assert recent.durations == {"fix": (60, 100, 100)}


def test_groups_are_those_declared_and_those_waited_for() -> None:
    task("a", group="payer")
    task("b", group="done", state="completed", ended=5)
    Agent.objects.create(agent_group="coder", agent_id="coder-1", revision=1, body="{}")
    assert lagfacts.declared_groups() == {"payer", "coder"}
