"""The Reader over HTTP: it keeps the positions and asks for what comes after them."""

import asyncio
from collections.abc import Mapping, Sequence

from coordination.eventlog import Record, TopicPartition
from coordination.httplog.connection import Connection
from coordination.logmessages import MAX_WAIT, Fetch, Fetched, from_positions, to_positions


class HttpReader:
    """See `Reader`."""

    def __init__(self, connection: Connection, positions: Mapping[TopicPartition, int]) -> None:
        self._connection = connection
        self._positions = dict(positions)

    async def read(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See `Reader.read`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            left = max(0.0, deadline - loop.time())
            records = await self._fetch(max_records, min(left, MAX_WAIT))
            if records or loop.time() >= deadline:
                return records

    def positions(self) -> Mapping[TopicPartition, int]:
        """See `Reader.positions`."""
        return dict(self._positions)

    async def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `Reader.seek`."""
        self._positions[partition] = offset

    async def close(self) -> None:
        """Nothing to close: the server keeps nothing of a reader."""

    async def _fetch(self, max_records: int, waits: float) -> Sequence[Record]:
        question = Fetch(to_positions(self._positions), max_records, waits)
        fetched = await self._connection.ask("fetch", question, Fetched, waits=waits)
        # The order of the positions is the order of turns: the server starts with the first.
        self._positions = from_positions(fetched.positions)
        return fetched.records
