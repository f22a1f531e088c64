"""A consumer group as a value: who is a member, who owns which partition, and what each act makes of it.

Pure functions; the memory log keeps the value in a dict, the SQLite log in a row, and both apply an act inside
the transaction that also appends or commits. That is what fences a zombie: a member that was expelled for
silence, or that handed a partition over, is no longer its owner at the moment of its commit.

Partitions move in two steps. Joining and leaving change only what each member *should* own (the range assignor
of Kafka, so that one partition number of several topics goes to one member). A member gives up what it should
not own any more at its next poll, and takes what it should own as soon as nobody else owns it. So a partition
is never with two members at once, and a member that commits before it polls again loses nothing to a rebalance.

Times are milliseconds of one clock that all members of the group share.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from coordination.errors import MemberFenced
from coordination.eventlog import GroupInfo, MemberInfo, TopicPartition

Assignment = dict[str, tuple[TopicPartition, ...]]


class Member(msgspec.Struct, frozen=True):
    """A member and its lease. `session_timeout` in ms; `lease_until` is the instant it counts as silent."""

    member_id: str
    client_id: str
    host: str
    topics: tuple[str, ...]
    session_timeout: int
    lease_until: int


class Group(msgspec.Struct, frozen=True):
    """A consumer group. `generation` grows when members change; `owned` is what each member holds now."""

    name: str
    generation: int = 0
    members: dict[str, Member] = {}
    owned: Assignment = {}


def join(group: Group, member: Member) -> Group:
    """`member` becomes a member; it owns nothing yet."""
    return _with_members(group, group.members | {member.member_id: member})


def leave(group: Group, member_ids: Iterable[str]) -> Group:
    """These members are no members any more; what they owned is free."""
    gone = set(member_ids)
    if gone.isdisjoint(group.members):
        return group
    return _with_members(group, {key: member for key, member in group.members.items() if key not in gone})


def expel_silent(group: Group, now: int) -> Group:
    """Members whose lease has run out are no members any more.

    A lease further ahead than its session time-out was given by a clock that has been set back since; it counts
    as given now, so that nobody lives on for the hours the clock lost.
    """
    members = {key: _within_session(member, now) for key, member in group.members.items()}
    kept = msgspec.structs.replace(group, members=members) if members != group.members else group
    return leave(kept, [key for key, member in members.items() if member.lease_until <= now])


def renew(group: Group, member_id: str, now: int) -> Group:
    """`member_id` shows that it lives. Raises MemberFenced."""
    member = _member(group, member_id)
    renewed = msgspec.structs.replace(member, lease_until=now + member.session_timeout)
    return msgspec.structs.replace(group, members=group.members | {member_id: renewed})


def hand_over(group: Group, member_id: str, partition_counts: Mapping[str, int]) -> Group:
    """`member_id` gives up what it should not own and takes what is free. Raises MemberFenced."""
    _member(group, member_id)
    others = {p for other, owned in group.owned.items() if other != member_id for p in owned}
    wanted = assign(group.members.values(), partition_counts).get(member_id, ())
    owned = tuple(partition for partition in wanted if partition not in others)
    if owned == group.owned.get(member_id, ()):
        return group
    return msgspec.structs.replace(group, owned=group.owned | {member_id: owned})


def require_owner(group: Group, member_id: str, partitions: Iterable[TopicPartition]) -> None:
    """Raise MemberFenced unless `member_id` owns all of these partitions."""
    _member(group, member_id)
    lost = sorted(set(partitions).difference(group.owned.get(member_id, ())))
    if lost:
        raise MemberFenced(
            f"{lost[0].topic}[{lost[0].partition}] is no longer assigned to {member_id} in group {group.name}; "
            "another member continues from the last committed position."
        )


def describe(group: Group, partition_counts: Mapping[str, int]) -> GroupInfo:
    """The group in the words of a broker."""
    state = "empty"
    if group.members:
        wanted = assign(group.members.values(), partition_counts)
        settled = all(group.owned.get(key, ()) == wanted.get(key, ()) for key in group.members)
        state = "stable" if settled else "preparing_rebalance"
    members = tuple(
        MemberInfo(member.member_id, member.client_id, member.host, group.owned.get(key, ()))
        for key, member in sorted(group.members.items())
    )
    return GroupInfo(group.name, state, "consumer", group.generation, members)


def assign(members: Iterable[Member], partition_counts: Mapping[str, int]) -> Assignment:
    """Who should own what, by Kafka's range assignor: of each topic a contiguous range, members in id order."""
    ordered = sorted(members, key=lambda member: member.member_id)
    wanted: dict[str, list[TopicPartition]] = {member.member_id: [] for member in ordered}
    for topic in sorted({topic for member in ordered for topic in member.topics}):
        takers = [member.member_id for member in ordered if topic in member.topics]
        for member_id, numbers in zip(takers, _ranges(partition_counts.get(topic, 0), len(takers)), strict=True):
            wanted[member_id].extend(TopicPartition(topic, number) for number in numbers)
    return {member_id: tuple(partitions) for member_id, partitions in wanted.items()}


def _ranges(partitions: int, takers: int) -> Sequence[range]:
    size, more = divmod(partitions, takers)
    starts = [taker * size + min(taker, more) for taker in range(takers + 1)]
    return [range(start, end) for start, end in pairwise(starts)]


def _with_members(group: Group, members: dict[str, Member]) -> Group:
    owned = {key: partitions for key, partitions in group.owned.items() if key in members}
    return Group(group.name, group.generation + 1, members, owned)


def _member(group: Group, member_id: str) -> Member:
    member = group.members.get(member_id)
    if member is None:
        raise MemberFenced(
            f"{member_id} is not a member of group {group.name} any more: it was silent for longer than its "
            "session time-out, or it left. Join anew."
        )
    return member


def _within_session(member: Member, now: int) -> Member:
    latest = now + member.session_timeout
    return msgspec.structs.replace(member, lease_until=latest) if member.lease_until > latest else member
