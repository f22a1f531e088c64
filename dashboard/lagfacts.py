"""What the tables know about waiting and running tasks, per consumer group and partition.

Each function is one bounded query over open tasks or over what lately started, for all groups at once, so that a
poll costs the same with one group or two hundred. Instants are microseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from django.db.models import Count, Max, Min, Q, QuerySet

from coordination.agents import Agent as AgentRow
from coordination.eventlog import TopicPartition
from coordination.lag import RunningTask
from coordination.tasks import Task as TaskRow
from dashboard.models import Agent, Position, Task

UNSTARTED: Final = "requested"
RUNNING: Final = ("working",)
RUNNING_SHOWN: Final = 500
IN_HAND: Final = 5_000
SAMPLE: Final = 200
LATELY: Final = 20
AT_ONCE: Final = 40

_task = msgspec.json.Decoder(TaskRow)
_agent = msgspec.json.Decoder(AgentRow)
Place = tuple[str, TopicPartition]
"""(agent group, partition)"""


class Queue(NamedTuple):
    """The unprocessed task records of one group on one partition: how many, how old, where the first lies, and how
    many of each task type."""

    number: int
    oldest_at: int | None
    first_offset: int
    types: Mapping[str, int]


def queues(commits: Mapping[Place, int] | None = None, made: Mapping[str, int] | None = None) -> dict[Place, Queue]:
    """Tasks whose command was read and which nobody accepted or started, by group and partition.

    `commits` are the groups' positions: what lies before was passed, and waits no more. `made` are the instants
    after which topics were made anew: what was asked for before is gone with the old ones.
    """
    tasks = _unstarted()
    for topic, at in (made or {}).items():
        tasks = tasks.exclude(command_topic=topic, requested_at__lt=at)
    found = _queues(tasks)
    passed = [place for place, queue in found.items() if (commits or {}).get(place, 0) > queue.first_offset]
    for first in range(0, len(passed), AT_ONCE):
        chunk = passed[first : first + AT_ONCE]
        beyond = Q(pk__in=[])
        for group, where in chunk:
            here = {"agent_group": group, "command_topic": where.topic, "command_partition": where.partition}
            beyond |= Q(**here, command_offset__gte=(commits or {})[group, where])
        still = _queues(tasks.filter(beyond))
        for place in chunk:
            del found[place]
        found |= still
    return found


def _unstarted() -> "QuerySet[Task]":
    return Task.objects.filter(state=UNSTARTED, ended_at=None, command_partition__isnull=False)


def _queues(tasks: "QuerySet[Task]") -> dict[Place, Queue]:
    rows = (
        tasks.order_by()
        .values_list("agent_group", "command_topic", "command_partition", "task_type")
        .annotate(Count("task_id"), Min("requested_at"), Min("command_offset"))
    )
    found: dict[Place, Queue] = {}
    for group, topic, partition, kind, count, oldest, first in rows:
        place = group, TopicPartition(topic, partition)
        known = found.get(place, Queue(0, None, first, {}))
        ages = [at for at in (known.oldest_at, oldest) if at is not None]
        types = {**known.types, kind: count}
        found[place] = Queue(known.number + count, min(ages, default=None), min(known.first_offset, first), types)
    return found


class Head(NamedTuple):
    """An open task that somebody has in hand: where its command lies, whose it is, how often it was started."""

    offset: int
    run_id: str
    task_id: str
    starts: int


def in_hand(commits: Mapping[Place, int]) -> dict[Place, Head]:
    """Of the open tasks at or after each commit that were accepted or started, the first; at most IN_HAND are
    looked at, the least recently asked for first."""
    rows = (
        Task.objects.filter(ended_at=None, command_partition__isnull=False)
        .exclude(state=UNSTARTED)
        .order_by("command_offset")
        .values_list(
            "agent_group", "command_topic", "command_partition", "command_offset", "run_id", "task_id", "attempt"
        )
    )
    found: dict[Place, Head] = {}
    for group, topic, partition, offset, run_id, task_id, attempt in rows[:IN_HAND]:
        place = group, TopicPartition(topic, partition or 0)
        if offset is not None and offset >= commits.get(place, 0):
            found.setdefault(place, Head(offset, run_id, task_id, attempt))
    return found


def reached() -> dict[TopicPartition, int]:
    """The next offset to read of every partition that is read into the tables."""
    rows = Position.objects.values_list("topic", "partition", "next_offset")
    return {TopicPartition(topic, partition): offset for topic, partition, offset in rows}


def running() -> dict[str, list[RunningTask]]:
    """Started tasks without an end by agent group, the earliest RUNNING_SHOWN of all; the latest sign of life
    is the task's own or a heartbeat that names it."""
    beats = heartbeats()
    found: dict[str, list[RunningTask]] = defaultdict(list)
    bodies = (
        Task.objects.filter(state__in=RUNNING, ended_at=None)
        .exclude(agent_group="")
        .order_by("agent_group", "state", "command_partition", "command_offset")
        .values_list("body", flat=True)[:RUNNING_SHOWN]
    )
    for row in map(_task.decode, bodies):
        began = row.attempts[-1].started_at if row.attempts else None
        since = began or row.started_at or row.requested_at or 0
        seen = max(since, row.heard_at or 0, beats.get((row.agent_group, row.task_id), 0))
        found[row.agent_group].append(
            RunningTask(
                task_id=row.task_id,
                task_type=row.task_type,
                agent_id=row.agent_id or None,
                started_at=since,
                seen_at=seen,
            )
        )
    return found


def running_counts() -> dict[str, int]:
    """Number of started tasks without an end by agent group."""
    rows = Task.objects.filter(state__in=RUNNING, ended_at=None).values_list("agent_group").annotate(Count("task_id"))
    return dict(rows)


def heartbeats() -> dict[tuple[str, str], int]:
    """(agent group, task id) to the instant of the last heartbeat that named the task."""
    return {
        (row.agent_group, task_id): row.heartbeat_at or 0
        for row in map(_agent.decode, Agent.objects.values_list("body", flat=True))
        for task_id in row.running
    }


def last_heartbeats() -> dict[str, int]:
    """Agent group to the instant of the last heartbeat of any of its instances."""
    rows = Agent.objects.exclude(last_heartbeat_at=None).values_list("agent_group").annotate(Max("last_heartbeat_at"))
    return dict(rows)


def capacities() -> dict[tuple[str, str], int]:
    """(agent group, agent id) to how many tasks at a time that instance takes, of those that said so."""
    rows = map(_agent.decode, Agent.objects.values_list("body", flat=True))
    return {(row.agent_group, row.agent_id): row.capacity for row in rows if row.capacity}


def arrived(since: Mapping[TopicPartition, int]) -> dict[str, int]:
    """Tasks asked for from these offsets on, by agent group."""
    found: dict[str, int] = defaultdict(int)
    for where, offset in since.items():
        rows = (
            Task.objects.filter(command_partition=where.partition, command_offset__gte=offset)
            .filter(command_topic=where.topic)
            .values_list("agent_group")
            .annotate(Count("task_id"))
        )
        for group, count in rows:
            found[group] += count
    return found


class LastActs(NamedTuple):
    """When a group last started a task for the first time, and when one of the LATELY started last ended (µs)."""

    started_at: int | None = None
    ended_at: int | None = None


def last_acts(groups: Iterable[str]) -> dict[str, LastActs]:
    """What each agent group did last, if anything; one look into an index each."""
    found = {}
    for group in groups:
        tasks = Task.objects.filter(agent_group=group, started_at__isnull=False).order_by("-started_at")
        rows = list(tasks.values_list("started_at", "ended_at")[:LATELY])
        if rows:
            found[group] = LastActs(rows[0][0], max((ended for _, ended in rows if ended), default=None))
    return found


def durations(group: str) -> dict[str, tuple[int, int, int]]:
    """(p50, p90, p99) of how long tasks took from start to end, by type: the SAMPLE last started of a group."""
    spans: dict[str, list[int]] = defaultdict(list)
    rows = Task.objects.filter(agent_group=group, started_at__isnull=False).order_by("-started_at")
    for kind, began, ended in rows.values_list("task_type", "started_at", "ended_at")[:SAMPLE]:
        if began is not None and ended is not None and ended >= began:
            spans[kind].append(ended - began)
    return {kind: quantiles(sorted(found)) for kind, found in spans.items()}


def quantiles(ordered: Sequence[int]) -> tuple[int, int, int]:
    """(p50, p90, p99) of an ordered, non-empty list by the nearest-rank method."""
    last = len(ordered) - 1
    p50, p90, p99 = (ordered[min(last, (last + 1) * part // 100)] for part in (50, 90, 99))
    return p50, p90, p99
