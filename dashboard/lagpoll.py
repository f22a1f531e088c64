"""The lag poll: every few seconds commits first, ends second, then what the tables say of the tasks between.

In this order a commit is never compared with an end that is older than it, so lag is never negative and never
too small. The poll runs in the background under one lease; a page never asks the log. A group that cannot be
read is *unknown* while the others go on.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from asgiref.sync import sync_to_async
from django.db import Error, transaction

from coordination.errors import CoordinationError, LogDenied
from coordination.eventlog import Ends, EventLog, GroupInfo, TopicPartition
from coordination.lag import GroupFacts, PartitionFacts
from dashboard import lagfacts, live
from dashboard.databasethread import drop_connection
from dashboard.eventlog import open_eventlog
from dashboard.lagrows import Poll, group_row
from dashboard.manifest import manifest
from dashboard.models import ConsumerGroup, GroupSnapshot

logger = logging.getLogger(__name__)

INTERVAL: Final = 3.0
PREFIX: Final = "agent."
THINNING: Final = ((0, 15 * 60), (1, 24 * 3600), (2, 14 * 24 * 3600))
HISTORY: Final = 9


class Seen(msgspec.Struct, kw_only=True):
    """What the log answered about one group. None: it could not be read; `denied`: for lack of a right."""

    info: GroupInfo | None = None
    commits: dict[TopicPartition, int] | None = None
    denied: bool = False


class LagPoll:
    """Polls one log. Keeps between polls what change is judged by: commits, ends and figures of the last ones."""

    def __init__(self, log: EventLog, topic: str, *, clock: Callable[[], float] = time.time) -> None:
        self._log = log
        self._topic = topic
        self._clock = clock
        self._commits: dict[str, dict[TopicPartition, int]] = {}
        self._generations: dict[str, list[tuple[int, int]]] = {}
        self._topic_ids: dict[str, str] = {}
        self._ends: list[tuple[int, dict[TopicPartition, int]]] = []
        self._thinned = 0.0

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return int(self._clock() * 1_000_000)

    async def poll(self) -> list[dict[str, Any]]:
        """One poll: the rows of all groups, stored and returned. Raises LogUnreachable if nothing answers."""
        topics = await self._log.topics()
        partitions = [
            TopicPartition(self._topic, number)
            for number in range(topics[self._topic].partitions if self._topic in topics else 0)
        ]
        groups = await sync_to_async(lagfacts.declared_groups)()
        infos = {info.group: info for info in await self._log.groups()}
        names = {PREFIX + group for group in groups} | {name for name in infos if name.startswith(PREFIX)}
        seen = {name: await self._look(name, infos.get(name)) for name in sorted(names)}
        polled_at = self.now()
        ends = await self._log.ends(partitions)
        recreated = self._recreated({name: info.topic_id for name, info in topics.items()})
        return await sync_to_async(self._judge)(seen, ends, partitions, polled_at, recreated)

    async def _look(self, group: str, info: GroupInfo | None) -> Seen:
        try:
            return Seen(info=info, commits=await self._log.commits(group))
        except LogDenied:
            return Seen(info=info, denied=True)
        except CoordinationError:
            return Seen(info=info)

    def _recreated(self, topic_ids: Mapping[str, str]) -> bool:
        """Whether the topic of commands was deleted and made again since commits were last compared with it."""
        before, now = self._topic_ids.get(self._topic, ""), topic_ids.get(self._topic, "")
        self._topic_ids = dict(topic_ids)
        return bool(before and now and before != now)

    def _judge(
        self,
        seen: Mapping[str, Seen],
        ends: Mapping[TopicPartition, Ends],
        partitions: Sequence[TopicPartition],
        polled_at: int,
        recreated: bool,
    ) -> list[dict[str, Any]]:
        queues = lagfacts.queues()
        types = lagfacts.waiting_types()
        running, running_counts = lagfacts.running(), lagfacts.running_counts()
        recent = lagfacts.recent(partitions)
        beats = lagfacts.last_heartbeats()
        arrived, span = self._arrivals(ends, polled_at)
        history = _history(seen)
        rows = []
        for name, answer in seen.items():
            group = name.removeprefix(PREFIX)
            facts = GroupFacts(
                group=group,
                partitions=[
                    self._partition(name, answer, where, ends.get(where), queues, polled_at, recreated)
                    for where in partitions
                ],
                members=None if answer.info is None or answer.info.members is None else len(answer.info.members),
                running=running.get(group, []),
                waiting_types=[kind for kinds in types.get(group, {}).values() for kind in set(kinds)],
                last_start_at=recent.last_start_at.get(group),
                last_heartbeat_at=beats.get(group),
                ages=[age for _, age in history.get(name, [])],
                generations=self._generation(name, answer.info, polled_at),
                p99={kind: spans[2] for kind, spans in recent.durations.items()},
                group_state=answer.info.state if answer.info else "unknown",
            )
            poll = Poll(
                facts=facts,
                now=polled_at,
                info=answer.info,
                running=running_counts.get(group, 0),
                types=types.get(group, {}),
                durations={kind: spans[:2] for kind, spans in recent.durations.items()},
                arrived=arrived.get(group, 0),
                span=span,
                waiting_before=history[name][0][0] if history.get(name) else None,
            )
            rows.append(group_row(poll))
        self._commits = {name: answer.commits for name, answer in seen.items() if answer.commits is not None}
        _store(rows, polled_at)
        return rows

    def _partition(
        self,
        name: str,
        answer: Seen,
        where: TopicPartition,
        ends: Ends | None,
        queues: Mapping[tuple[str, TopicPartition], lagfacts.Queue],
        polled_at: int,
        recreated: bool,
    ) -> PartitionFacts:
        group = name.removeprefix(PREFIX)
        commit = (answer.commits or {}).get(where)
        queue = queues.get((group, where))
        if queue is not None and commit is not None and queue.first_offset < commit:
            queue = lagfacts.queue_from(group, where, commit)
        first = (
            lagfacts.head(group, where, commit) if queue is not None and queue.count and commit is not None else None
        )
        return PartitionFacts(
            topic=where.topic,
            partition=where.partition,
            commit=commit,
            committed=answer.commits is None or commit is not None,
            ends=ends if answer.commits is not None else None,
            previous_commit=self._commits.get(name, {}).get(where),
            topic_recreated=recreated,
            denied=answer.denied,
            polled_at=polled_at,
            waiting=None if answer.commits is None else (queue.count if queue else 0),
            oldest_at=queue.oldest_at if queue and queue.count else None,
            member=_member(answer.info, where),
            head_starts=first.starts if first else 0,
            head_offset=first.offset if first else commit,
        )

    def _generation(self, name: str, info: GroupInfo | None, at: int) -> list[tuple[int, int]]:
        kept = self._generations.setdefault(name, [])
        if info is not None and info.generation is not None and (not kept or kept[-1][1] != info.generation):
            kept.append((at, info.generation))
        del kept[:-50]
        return kept

    def _arrivals(self, ends: Mapping[TopicPartition, Ends], at: int) -> tuple[dict[str, int], int]:
        """Tasks asked for since about a minute ago by agent group, and the exact span (µs)."""
        self._ends.append((at, {where: end.high for where, end in ends.items()}))
        while len(self._ends) > 1 and at - self._ends[1][0] >= 60_000_000:
            self._ends.pop(0)
        began, offsets = self._ends[0]
        return lagfacts.arrived(offsets), at - began

    def thin(self) -> None:
        """Delete history that is older than its grain is kept; at most once a minute."""
        if self._clock() - self._thinned < 60:
            return
        self._thinned = self._clock()
        for grain, keep in THINNING:
            GroupSnapshot.objects.filter(grain=grain, taken_at__lt=self.now() - keep * 1_000_000).delete()


def _member(info: GroupInfo | None, where: TopicPartition) -> str | None:
    for member in (info.members or ()) if info else ():
        if where in member.partitions:
            return member.client_id or member.member_id
    return None


def _history(names: Mapping[str, Seen]) -> dict[str, list[tuple[int | None, int]]]:
    """The last HISTORY polls of each group, oldest first: (waiting, age in µs)."""
    found: dict[str, list[tuple[int | None, int]]] = {}
    for name in names:
        rows = GroupSnapshot.objects.filter(group=name).order_by("-taken_at").values_list("waiting", "age_ms")
        found[name] = [(count, (age or 0) * 1000) for count, age in reversed(rows[:HISTORY])]
    return found


def _store(rows: Sequence[dict[str, Any]], at: int) -> None:
    """The rows of one poll: what is now, and one snapshot each for the history."""
    marks = GroupSnapshot.objects.filter(grain__gt=0, taken_at__gte=at - 900_000_000).order_by("taken_at")
    latest = dict(marks.values_list("group", "taken_at"))
    with transaction.atomic():
        ConsumerGroup.objects.bulk_create(
            [
                ConsumerGroup(
                    group=row["id"],
                    agent_group=row["group"],
                    taken_at=at,
                    verdict=row["verdict"]["state"],
                    waiting=row["waiting"],
                    age_ms=int(row["age_seconds"] * 1000),
                    revision=row["revision"],
                    body=msgspec.json.encode(row).decode(),
                )
                for row in rows
            ],
            update_conflicts=True,
            unique_fields=["group"],
            update_fields=["agent_group", "taken_at", "verdict", "waiting", "age_ms", "revision", "body"],
        )
        GroupSnapshot.objects.bulk_create(
            GroupSnapshot(
                group=row["id"],
                taken_at=at,
                grain=_grain(latest.get(row["id"]), at),
                waiting=row["waiting"],
                age_ms=int(row["age_seconds"] * 1000),
                running=row["running"],
                members=row["members"],
                generation=row["generation"],
                verdict=row["verdict"]["state"],
                arrived=row["arrived"],
                started=row["started"],
            )
            for row in rows
        )
        gone = ConsumerGroup.objects.filter(taken_at__lt=at - 86_400_000_000)
        gone.delete()


def _grain(last: int | None, at: int) -> int:
    """2 for the first poll of a quarter of an hour, 1 for the first of a minute, else 0."""
    if last is None or at // 900_000_000 != last // 900_000_000:
        return 2
    return 1 if at // 60_000_000 != last // 60_000_000 else 0


async def run(stop: asyncio.Event) -> None:
    """Poll until `stop` is set. Trouble is told once when it begins and once when it ends."""
    poll = LagPoll(open_eventlog(), manifest().topic_for("task.requested"))
    trouble = ""
    while not stop.is_set():
        try:
            rows = await poll.poll()
            live.publish("agents", rows)
            await sync_to_async(poll.thin)()
            if trouble:
                logger.info("The lag poll works again.")
            trouble = ""
        except (CoordinationError, Error, OSError) as error:
            if isinstance(error, Error):
                await sync_to_async(drop_connection)()
            if str(error) != trouble:
                logger.warning("The lag poll cannot look: %s", error)
            trouble = str(error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), INTERVAL)
