"""HttpLog: the EventLog of agents elsewhere, over the HTTP API of a dashboard."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from coordination.eventlog import (
    Appended,
    Ends,
    GroupInfo,
    NewRecord,
    Reader,
    TopicInfo,
    TopicPartition,
    TopicSpec,
    check_records,
    record_bytes,
)
from coordination.httplog.connection import Connection
from coordination.httplog.member import HttpMember
from coordination.httplog.reader import HttpReader
from coordination.httplog.size import check_size
from coordination.logmessages import (
    MAX_QUESTION_BYTES,
    Append,
    AppendAs,
    AskCommits,
    AskEnds,
    AskGroups,
    AskTime,
    AskTopics,
    CreateTopics,
    DeleteTopic,
    Done,
    FoundEnds,
    Groups,
    Join,
    Joined,
    Owner,
    Placed,
    Positions,
    Release,
    SetCommits,
    TakeOver,
    Topics,
    from_positions,
    to_positions,
)


class HttpTransaction:
    """The owner of a transactional id, until a newer one takes it over."""

    def __init__(self, connection: Connection, owner_id: str) -> None:
        self._connection, self._owner_id = connection, owner_id

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `Transaction.append`."""
        check_records(records)
        check_size(records)
        question = AppendAs(self._owner_id, list(records))
        return (await self._connection.ask("transaction-append", question, Placed)).appended

    async def close(self) -> None:
        """See `Transaction.close`."""
        await self._connection.ask("transaction-close", Release(self._owner_id), Done)


class HttpLog:
    """An EventLog served by the dashboard at `base_url`; `token` is one with a scope for the topics needed.

    Use it on one event loop. An append of more than 2 MB of records is sent in parts, each of them whole or not
    at all; commits and transactions of that size are refused (RecordTooLarge). When an answer does not come,
    LogUnreachable means that the outcome is unknown.
    """

    kind: Literal["http"] = "http"
    transactional = True

    def __init__(self, base_url: str, token: str) -> None:
        self._connection = Connection(base_url, token)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See `EventLog.append`."""
        check_records(records)
        placed: list[Appended] = []
        for part in _parts(records):
            placed += (await self._connection.ask("append", Append(part), Placed)).appended
        return placed

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See `EventLog.reader`."""
        return HttpReader(self._connection, positions)

    async def join(
        self, group: str, topics: Sequence[str], *, client_id: str, session_timeout: float = 10.0
    ) -> HttpMember:
        """See `EventLog.join`."""
        question = Join(group, list(topics), client_id, session_timeout)
        joined = await self._connection.ask("join", question, Joined)
        return HttpMember(self._connection, group, joined.member_id, session_timeout)

    async def transaction(self, transactional_id: str) -> HttpTransaction:
        """See `EventLog.transaction`."""
        owner = await self._connection.ask("transaction", TakeOver(transactional_id), Owner)
        return HttpTransaction(self._connection, owner.owner_id)

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Ends]:
        """See `EventLog.ends`."""
        found = await self._connection.ask("ends", AskEnds(list(partitions)), FoundEnds)
        return {TopicPartition(at.topic, at.partition): Ends(*at[2:]) for at in found.ends}

    async def offsets_for_time(self, partitions: Sequence[TopicPartition], timestamp: int) -> dict[TopicPartition, int]:
        """See `EventLog.offsets_for_time`."""
        question = AskTime(list(partitions), timestamp)
        return from_positions((await self._connection.ask("offsets-for-time", question, Positions)).positions)

    async def commits(self, group: str) -> dict[TopicPartition, int]:
        """See `EventLog.commits`."""
        return from_positions((await self._connection.ask("commits", AskCommits(group), Positions)).positions)

    async def set_commits(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EventLog.set_commits`."""
        await self._connection.ask("set-commits", SetCommits(group, to_positions(offsets)), Done)

    async def groups(self) -> list[GroupInfo]:
        """See `EventLog.groups`; as far as the token may see them."""
        return (await self._connection.ask("groups", AskGroups(), Groups)).groups

    async def topics(self) -> dict[str, TopicInfo]:
        """See `EventLog.topics`; as far as the token may see them."""
        return {info.name: info for info in (await self._connection.ask("topics", AskTopics(), Topics)).topics}

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """See `EventLog.create_topics`."""
        await self._connection.ask("create-topics", CreateTopics(list(specs)), Done)

    async def delete_topic(self, name: str) -> None:
        """See `EventLog.delete_topic`."""
        await self._connection.ask("delete-topic", DeleteTopic(name), Done)

    async def close(self) -> None:
        """Close all connections; members that were not closed fall silent."""
        await self._connection.close()


def _parts(records: Sequence[NewRecord]) -> Iterator[list[NewRecord]]:
    part: list[NewRecord] = []
    size = 0
    for record in records:
        length = record_bytes(record)
        if part and size + length > MAX_QUESTION_BYTES:
            yield part
            part, size = [], 0
        part.append(record)
        size += length
    if part:
        yield part
