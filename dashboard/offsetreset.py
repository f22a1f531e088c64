"""Offset reset: where a group would begin again, what it would read twice and what it would skip, and only when safe.

Safe is: the group has no member, twice in a row, and no commit moved in between. The second look is for consumers
that assign partitions to themselves: their group looks empty while they run, and only their commits give them away.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import Q

from coordination.errors import CoordinationError, LogDenied
from coordination.eventlog import EventLog, TopicPartition
from dashboard.audit import enter
from dashboard.models import Task

LOOK_AGAIN: Final = 5.0


class NotSafe(CoordinationError):
    """The group is at work, or may be."""

    code = "not_safe"


class Move(msgspec.Struct, frozen=True):
    """One partition: from where to where; how many tasks of the group lie between, and how many of them wait still."""

    where: TopicPartition
    before: int | None
    after: int
    tasks: int
    waiting: int


async def targets(log: EventLog, group: str, topic: str, to: str) -> dict[TopicPartition, int]:
    """The positions that `to` means on a topic: `earliest`, `latest`, an offset, or milliseconds as `@1790000000000`.

    Raises UnknownTopic by way of the log, ValueError for a word that means nothing.
    """
    count = (await log.topics())[topic].partitions
    places = [TopicPartition(topic, number) for number in range(count)]
    ends = await log.ends(places)
    if to.startswith("@"):
        return await log.offsets_for_time(places, int(to[1:]))
    if to in ("earliest", "latest"):
        return {where: end.begin if to == "earliest" else end.stable for where, end in ends.items()}
    return {where: min(max(int(to), end.begin), end.stable) for where, end in ends.items()}


def plan(group: str, before: Mapping[TopicPartition, int], after: Mapping[TopicPartition, int]) -> list[Move]:
    """What the reset would do, partition by partition; those that do not move are left out."""
    return [
        _move(group, where, before.get(where), offset)
        for where, offset in sorted(after.items())
        if before.get(where) != offset
    ]


def _move(group: str, where: TopicPartition, before: int | None, after: int) -> Move:
    low, high = sorted((before or 0, after))
    between = Task.objects.filter(
        Q(command_offset__gte=low, command_offset__lt=high),
        agent_group=group.removeprefix("agent."),
        command_topic=where.topic,
        command_partition=where.partition,
    )
    waiting = between.filter(state="requested", ended_at=None).count()
    return Move(where, before, after, between.count(), waiting)


async def safe_commits(log: EventLog, group: str, *, look_again: float = LOOK_AGAIN) -> dict[TopicPartition, int]:
    """The group's positions, if it is safe to set them. Raises NotSafe."""
    first = await _empty(log, group)
    await asyncio.sleep(look_again)
    second = await _empty(log, group)
    moved = [where for where in first.keys() | second.keys() if first.get(where) != second.get(where)]
    if moved:
        raise NotSafe(f"Group {group} looks empty, but its position on {moved[0].topic}-{moved[0].partition} moved.")
    return second


async def _empty(log: EventLog, group: str) -> dict[TopicPartition, int]:
    info = next((each for each in await log.groups() if each.group == group), None)
    if info is not None and info.members is None:
        raise NotSafe(f"The members of {group} cannot be read, so nobody knows whether it is at work.")
    if info is not None and info.members:
        names = ", ".join(member.client_id or member.member_id for member in info.members)
        raise NotSafe(f"Group {group} has members: {names}. Stop them first.")
    return await log.commits(group)


async def apply(log: EventLog, group: str, moves: list[Move]) -> None:
    """Set the positions. Raises NotSafe if somebody joined meanwhile."""
    try:
        await log.set_commits(group, {move.where: move.after for move in moves})
    except LogDenied as error:
        raise NotSafe(str(error)) from error


def note(group: str, moves: list[Move], by: str) -> None:
    """The entry in the audit trail, with positions before and after."""
    detail = {f"{move.where.topic}-{move.where.partition}": [move.before, move.after] for move in moves}
    with transaction.atomic():
        enter(by, "group.reset", f"group/{group}", {"positions": detail})
