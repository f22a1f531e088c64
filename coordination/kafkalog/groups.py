"""Consumer groups with their members: classic ones, those of the new protocol (KIP-848), and others by name.

A group that cannot be read, for want of a right or of its coordinator, stays in the list with members None and
the state the list gave it: unknown is never shown as dead.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from coordination.errors import CoordinationError
from coordination.eventlog import GroupInfo, MemberInfo, TopicPartition
from coordination.kafkalog.client import ConsumerProtocol, kafka_errors
from coordination.kafkalog.connection import Connection, Transient
from coordination.kafkalog.wire import ask_classic_groups, ask_consumer_groups, ask_groups

_STATES = {
    "stable": "stable",
    "empty": "empty",
    "dead": "dead",
    "preparingrebalance": "preparing_rebalance",
    "completingrebalance": "completing_rebalance",
    # The new protocol has other words for the same two phases.
    "assigning": "preparing_rebalance",
    "reconciling": "completing_rebalance",
}
_CHUNK = 100


class _Listed(NamedTuple):
    group: str
    protocol: str
    state: str
    type: str
    node: Any


async def list_groups(connection: Connection) -> list[GroupInfo]:
    """All groups. While a broker is down, the groups it coordinated are missing until another one takes over."""
    listed = await connection.patiently("list its groups", lambda: _listed(connection))
    found = {item.group: GroupInfo(item.group, item.state, item.protocol) for item in listed}
    for kind, describe in (("classic", _classic), ("consumer", _consumer)):
        for asked in _batches(item for item in listed if item.type == kind):
            for info in await describe(connection, asked):
                found[info.group] = info
    return [found[name] for name in sorted(found)]


async def _listed(connection: Connection) -> list[_Listed]:
    listed: list[_Listed] = []
    problems: list[BaseException] = []
    nodes = await connection.nodes()
    for node in nodes:
        try:
            answer = await connection.ask(ask_groups(), node)
        except (kafka_errors.KafkaError, OSError) as error:
            problems.append(error)
            continue
        if answer.error_code if hasattr(answer, "error_code") else answer.error:
            problems.append(Transient(f"broker {node} is loading its groups"))
            continue
        listed.extend(_listed_row(row, node) for row in answer.groups)
    if problems and len(problems) == len(nodes):
        raise problems[0]
    return listed


def _listed_row(row: Any, node: Any) -> _Listed:
    if len(row) == 2:  # a broker before Kafka 2.6 tells neither state nor type, and knows classic groups only
        return _Listed(row[0], row[1] or "consumer", "unknown", "classic", node)
    group, protocol, state, kind, *_ = row
    return _Listed(group, protocol or "consumer", _state(state), kind.lower(), node)


async def _classic(connection: Connection, asked: Sequence[_Listed]) -> list[GroupInfo]:
    rows = await _described(connection, asked, ask_classic_groups)
    by_name = {item.group: item for item in asked}
    return [_classic_info(by_name[row[1]], row) for row in rows]


def _classic_info(item: _Listed, row: Any) -> GroupInfo:
    code, _, state, protocol, _, members, *_ = row
    state = _state(state)
    if code or (state == "dead" and item.state != "dead"):
        return GroupInfo(item.group, item.state, item.protocol)
    infos = tuple(_classic_member(member) for member in members)
    return GroupInfo(item.group, state, protocol or item.protocol, _fingerprint(infos), infos)


def _classic_member(row: Any) -> MemberInfo:
    member_id, *rest = row[:-1] if isinstance(row[-1], dict) else row
    client_id, host, _, assignment = rest[-4:]
    return MemberInfo(member_id, client_id, host.lstrip("/"), _assigned(assignment))


def _assigned(assignment: bytes | None) -> tuple[TopicPartition, ...]:
    if not assignment:
        return ()
    try:
        decoded = ConsumerProtocol.ASSIGNMENT.decode(assignment)
        return tuple(sorted(TopicPartition(topic, number) for topic, number in decoded.partitions()))
    except (ValueError, TypeError):
        return ()  # another protocol than the consumers' (Kafka Connect, a schema registry)


def _fingerprint(members: Iterable[MemberInfo]) -> int:
    # The broker tells no generation of a classic group. This number differs whenever the members differ, which
    # is what one counts generations for; it fits, as Kafka's own do, into the integers of any database.
    return zlib.crc32("\n".join(sorted(member.member_id for member in members)).encode()) & 0x7FFF_FFFF


async def _consumer(connection: Connection, asked: Sequence[_Listed]) -> list[GroupInfo]:
    rows = await _described(connection, asked, ask_consumer_groups)
    by_name = {item.group: item for item in asked}
    return [_consumer_info(by_name[row[2]], row) for row in rows]


def _consumer_info(item: _Listed, row: Any) -> GroupInfo:
    code, _, _, state, epoch, _, _, members, *_ = row
    if code:
        return GroupInfo(item.group, item.state, item.protocol)
    return GroupInfo(item.group, _state(state), item.protocol, epoch, tuple(map(_consumer_member, members)))


def _consumer_member(row: Any) -> MemberInfo:
    member_id, _, _, _, client_id, host, _, _, assignment, *_ = row
    partitions = (TopicPartition(topic, n) for _, topic, numbers, *_ in assignment[0] for n in numbers)
    return MemberInfo(member_id, client_id, host.lstrip("/"), tuple(sorted(partitions)))


async def _described(
    connection: Connection, asked: Sequence[_Listed], request: Callable[[Sequence[str]], Any]
) -> list[Any]:
    names = [item.group for item in asked]
    attempt: Callable[[], Awaitable[Any]] = lambda: connection.ask(request(names), asked[0].node)  # noqa: E731
    try:
        return list((await connection.patiently(f"describe groups {', '.join(names[:3])}", attempt)).groups)
    except CoordinationError:
        return []  # these stay as the list gave them: known by name, members unknown


def _batches(items: Iterable[_Listed]) -> list[list[_Listed]]:
    by_node: dict[Any, list[_Listed]] = {}
    for item in items:
        by_node.setdefault(item.node, []).append(item)
    return [group[at : at + _CHUNK] for group in by_node.values() for at in range(0, len(group), _CHUNK)]


def _state(word: str) -> str:
    return _STATES.get(word.lower().replace("_", ""), "unknown")
