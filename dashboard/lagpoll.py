"""The lag poll: every few seconds commits first, ends second, then what the tables say of the tasks between.

In this order a commit is never compared with an end that is older than it, so lag is never negative and never
too small. The poll runs in the background under one lease; a page never asks the log. A group that cannot be
read is *unknown* while the others go on.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from django.db import Error

from coordination.errors import CoordinationError, LogDenied
from coordination.eventlog import Ends, EventLog, GroupInfo, TopicInfo, TopicPartition
from coordination.lag import Limits
from dashboard import live
from dashboard.api.grouplist import group_row
from dashboard.databasethread import DatabaseThread, drop_connection
from dashboard.eventlog import open_eventlog
from dashboard.lagflow import Flow
from dashboard.lagjudging import Judging, Seen
from dashboard.lagstore import store_topics, thin
from dashboard.manifest import manifest
from dashboard.readers import declared_groups
from dashboard.shards import Leases

logger = logging.getLogger(__name__)

ROLE: Final = "lag"
SHARD: Final = f"{ROLE}:0"
TASKS: Final = "run.task.commands"
EVIDENCE: Final = (TASKS, "run.task.events", "ops.heartbeats")
"""Families of what is judged by: as long as they are not read up, silence means nothing."""
INTERVAL: Final = 3.0
PREFIX: Final = "agent."
# Groups of our own that read everything and act on nothing: their positions mean nothing to anybody.
OWN: Final = ("lineside.", "replay.")
TOPICS_EVERY: Final = 30.0
THIN_EVERY: Final = 60.0
SIDE_BY_SIDE: Final = 16


class Answers(msgspec.Struct, frozen=True):
    """What the log answered at one poll; `at` (µs) is when its commits were read and its ends were not yet."""

    seen: Mapping[str, Seen]
    ends: Mapping[TopicPartition, Ends]
    commands: Sequence[TopicPartition]
    evidence: Sequence[TopicPartition]
    topics: Mapping[str, TopicInfo]
    recreated: frozenset[str]
    at: int


class LagPoll:
    """Polls one log. `topics` are those of the tasks; `clock` tells seconds since 1970 UTC; groups are judged by
    `limits`."""

    def __init__(
        self, log: EventLog, *topics: str, clock: Callable[[], float] = time.time, limits: Limits | None = None
    ) -> None:
        self._log = log
        self._commands = topics
        self._clock = clock
        self._tables = DatabaseThread("lag")
        self._judging = Judging(topics, limits or Limits())
        self._flow = Flow()
        self._topics: dict[str, TopicInfo] = {}
        self._rights: dict[str, frozenset[str]] = {}
        self._topics_at = self._thinned = float("-inf")
        self._high: dict[TopicPartition, int] = {}
        self._polled_at = 0

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return int(self._clock() * 1_000_000)

    async def poll(self) -> list[dict[str, Any]]:
        """One poll: the rows of all groups, stored and returned. Raises LogUnreachable if nothing answers."""
        answers = await self._ask()
        rows = await self._tables.run(self._judging.judge, answers)
        return [row for row in rows if row["group"]]

    async def _ask(self) -> Answers:
        recreated: frozenset[str] = frozenset()
        if not self._topics:
            recreated |= await self._look_at_topics()
        groups = await self._tables.run(declared_groups)
        infos = {info.group: info for info in await self._log.groups() if not info.group.startswith(OWN)}
        names = sorted({PREFIX + group for group in groups} | infos.keys())
        room = asyncio.Semaphore(SIDE_BY_SIDE)
        looks = [self._look(name, infos.get(name), room) for name in names]
        seen = dict(zip(names, await asyncio.gather(*looks), strict=True))
        at = self.now()
        ends = await self._log.ends(self._partitions(seen))
        back = self._went_back(ends)
        if back or self._clock() - self._topics_at >= TOPICS_EVERY:
            # A topic may have been made anew: whoever is compared with it must know, and ends tell best since when.
            recreated |= await self._look_at_topics(back)
        self._polled_at = at
        commands = [where for where in ends if where.topic in self._commands]
        evidence = [where for where in ends if manifest().family_of(where.topic) in EVIDENCE]
        return Answers(seen, ends, commands, evidence, self._topics, recreated, at)

    def _partitions(self, seen: Mapping[str, Seen]) -> list[TopicPartition]:
        """All partitions of the topics of tasks and of the evidence about them, and those that somebody has a position
        on or is assigned."""
        names = {*self._commands, *(name for name in self._topics if manifest().family_of(name) in EVIDENCE)}
        there = [self._topics[name] for name in names if name in self._topics]
        found = {TopicPartition(info.name, number) for info in there for number in range(info.partitions)}
        for answer in seen.values():
            found.update(answer.commits or ())
            found.update(where for member in answer.members for where in member.partitions)
        return sorted(where for where in found if where.topic in self._topics)

    async def _look(self, group: str, info: GroupInfo | None, room: asyncio.Semaphore) -> Seen:
        async with room:
            try:
                commits = await self._log.commits(group)
                # Whose commits may be read would be in the list if the log knew it: nobody has joined yet.
                return Seen(info=info or (None if commits else GroupInfo(group, "empty", members=())), commits=commits)
            except LogDenied:
                return Seen(info=info, denied=True)
            except CoordinationError:
                return Seen(info=info)

    async def _look_at_topics(self, back: Collection[str] = ()) -> frozenset[str]:
        """The topics as they are; returns those that were deleted and made again since they were last looked at.

        `back`: the topics whose ends went back since the poll before.
        """
        at = self.now()
        before, self._topics = self._topics, dict(await self._log.topics())
        self._topics_at = self._clock()
        rights = getattr(self._log, "rights", None)
        if rights is not None:
            ours = [name for name in manifest().topics if name in self._topics]
            with contextlib.suppress(CoordinationError):
                self._rights = await rights(ours)
        places = [TopicPartition(name, n) for name, info in self._topics.items() for n in range(info.partitions)]
        ends = await self._log.ends(places)
        seen_at = dict.fromkeys(back, self._polled_at)
        await self._tables.run(store_topics, self._topics, ends, self._rights, at, seen_at)
        await self._tables.run(self._flow.look, self.now())
        return frozenset(
            name
            for name, info in self._topics.items()
            if name in before and before[name].topic_id and before[name].topic_id != info.topic_id
        )

    def _went_back(self, ends: Mapping[TopicPartition, Ends]) -> frozenset[str]:
        """The topics of which a partition ends before where it ended at the poll before, or is gone."""
        before, self._high = self._high, {where: end.high for where, end in ends.items()}
        return frozenset(where.topic for where, high in before.items() if high > self._high.get(where, -1))

    async def thin(self) -> None:
        """Delete history that is older than its grain is kept; at most once a minute."""
        if self._clock() - self._thinned >= THIN_EVERY:
            self._thinned = self._clock()
            await self._tables.run(thin, self.now())

    async def close(self) -> None:
        """Finish what is under way and close the connection to the tables."""
        await self._tables.close()


async def run(stop: asyncio.Event) -> None:
    """Poll until `stop` is set, whenever the lease is ours. Trouble is told once when it begins and once when it
    ends."""
    names = manifest()
    commands = [name for name in names.topics if names.family_of(name) == TASKS]
    poll = LagPoll(open_eventlog(), *commands)
    leases = Leases(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", ROLE)
    tables = DatabaseThread("lag-lease")
    trouble = ""
    try:
        while not stop.is_set():
            began = time.monotonic()
            try:
                if SHARD in await tables.run(leases.renew, [SHARD]):
                    rows = await poll.poll()
                    live.publish("agents", [group_row(_light(row)) for row in rows])
                    await poll.thin()
                if trouble:
                    logger.info("The lag poll works again.")
                trouble = ""
            except (CoordinationError, Error, OSError) as error:
                if isinstance(error, Error):
                    await tables.run(drop_connection)
                if str(error) != trouble:
                    logger.warning("The lag poll cannot look: %s", error)
                trouble = str(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.5, INTERVAL - (time.monotonic() - began)))
    finally:
        with contextlib.suppress(Error):
            await tables.run(leases.release)
        await tables.close()
        await poll.close()


def _light(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is told live: with fifty partitions a group they alone would fill the line."""
    return {name: value for name, value in row.items() if name != "partitions"}
