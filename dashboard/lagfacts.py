"""What the tables know about waiting and running tasks, per consumer group and partition.

Each function is one bounded query over open tasks or over a window of commands, for all groups at once, so that
a poll costs the same with one group or two hundred. Instants are microseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from django.db.models import Count, Min

from coordination.agents import Agent as AgentRow
from coordination.eventlog import TopicPartition
from coordination.lag import RunningTask
from coordination.tasks import Task as TaskRow
from dashboard.models import Agent, Task

UNSTARTED: Final = "requested"
RUNNING: Final = ("working",)
RUNNING_SHOWN: Final = 500
SAMPLE: Final = 400

_task = msgspec.json.Decoder(TaskRow)
_agent = msgspec.json.Decoder(AgentRow)


@dataclass(frozen=True)
class Queue:
    """The unprocessed task records of one group on one partition: how many, how old, where the first lies."""

    count: int
    oldest_at: int | None
    first_offset: int


def queues() -> dict[tuple[str, TopicPartition], Queue]:
    """Tasks whose command was read and which nobody accepted or started, by (agent group, partition)."""
    rows = (
        Task.objects.filter(state=UNSTARTED, ended_at=None, command_partition__isnull=False)
        .values_list("agent_group", "command_topic", "command_partition")
        .annotate(Count("task_id"), Min("requested_at"), Min("command_offset"))
    )
    return {
        (group, TopicPartition(topic, partition)): Queue(count, oldest, first)
        for group, topic, partition, count, oldest, first in rows
    }


def queue_from(group: str, where: TopicPartition, commit: int) -> Queue:
    """The same for one group and partition from `commit` on: what lies before was passed, and waits no more."""
    row = Task.objects.filter(
        agent_group=group,
        state=UNSTARTED,
        ended_at=None,
        command_topic=where.topic,
        command_partition=where.partition,
        command_offset__gte=commit,
    ).aggregate(count=Count("task_id"), oldest=Min("requested_at"), first=Min("command_offset"))
    return Queue(row["count"], row["oldest"], row["first"] if row["first"] is not None else commit)


class Head(NamedTuple):
    """The record at the commit of a partition: its offset, whose it is, and how often it was started."""

    offset: int
    run_id: str
    task_id: str
    starts: int


def head(group: str, where: TopicPartition, commit: int) -> Head | None:
    """The first open task of a group at or after its commit, with the number of times it was started."""
    body = (
        Task.objects.filter(
            agent_group=group,
            ended_at=None,
            command_topic=where.topic,
            command_partition=where.partition,
            command_offset__gte=commit,
        )
        .order_by("command_offset")
        .values_list("body", flat=True)
        .first()
    )
    if body is None:
        return None
    row = _task.decode(body)
    return Head(row.command_offset or 0, row.run_id, row.task_id, sum(1 for a in row.attempts if a.started_at))


def waiting_types() -> dict[str, dict[TopicPartition, list[str]]]:
    """Task types of waiting tasks by agent group and partition, each type as often as it waits."""
    found: dict[str, dict[TopicPartition, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows = (
        Task.objects.filter(state=UNSTARTED, ended_at=None, command_partition__isnull=False)
        .values_list("agent_group", "command_topic", "command_partition", "task_type")
        .annotate(count=Count("task_id"))
    )
    for group, topic, partition, kind, count in rows:
        found[group][TopicPartition(topic, partition)].extend([kind] * count)
    return found


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
    rows = Agent.objects.exclude(last_heartbeat_at=None).values_list("agent_group", "last_heartbeat_at")
    latest: dict[str, int] = {}
    for group, at in rows:
        latest[group] = max(at or 0, latest.get(group, 0))
    return latest


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


class Recent(NamedTuple):
    """What lately started tasks tell: (p50, p90, p99) of durations by task type, last start by agent group."""

    durations: dict[str, tuple[int, int, int]]
    last_start_at: dict[str, int]


def recent(partitions: Iterable[TopicPartition]) -> Recent:
    """From the SAMPLE started tasks with the newest commands of each partition."""
    spans: dict[str, list[int]] = defaultdict(list)
    starts: dict[str, int] = {}
    for where in partitions:
        rows = (
            Task.objects.filter(command_partition=where.partition, command_topic=where.topic)
            .filter(started_at__isnull=False)
            .order_by("-command_offset")
            .values_list("agent_group", "task_type", "started_at", "ended_at")[:SAMPLE]
        )
        for group, kind, began, ended in rows:
            if began is None:
                continue
            starts[group] = max(began, starts.get(group, 0))
            if ended is not None and ended >= began:
                spans[kind].append(ended - began)
    return Recent({kind: quantiles(sorted(found)) for kind, found in spans.items()}, starts)


def quantiles(ordered: list[int]) -> tuple[int, int, int]:
    """(p50, p90, p99) of an ordered, non-empty list by the nearest-rank method."""
    last = len(ordered) - 1
    p50, p90, p99 = (ordered[min(last, (last + 1) * part // 100)] for part in (50, 90, 99))
    return p50, p90, p99


def declared_groups() -> set[str]:
    """Agent groups that registered, sent heartbeats, or are waited for."""
    groups = set(Agent.objects.values_list("agent_group", flat=True).distinct())
    groups |= set(Task.objects.filter(ended_at=None).values_list("agent_group", flat=True).distinct())
    return groups - {""}
