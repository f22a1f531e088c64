"""All records of one topic, from its beginning to the end it has now: for commands that compare, never for pages."""

from collections.abc import AsyncIterator
from typing import Final

from coordination.eventlog import EventLog, Record, TopicPartition

WAIT: Final = 5.0
MOST: Final = 5_000


async def records_of(log: EventLog, topic: str) -> AsyncIterator[Record]:
    """The records in offset order within each partition; none if there is no such topic.

    Raises what the log raises when it is out of reach.
    """
    known = await log.topics()
    if topic not in known:
        return
    ends = await log.ends([TopicPartition(topic, number) for number in range(known[topic].partitions)])
    left = {place: end.stable for place, end in ends.items() if end.stable > end.begin}
    if not left:
        return
    reader = await log.reader({place: ends[place].begin for place in left})
    try:
        while any(reader.positions().get(place, 0) < end for place, end in left.items()):
            records = await reader.read(MOST, WAIT)
            if not records:
                return
            for record in records:
                yield record
    finally:
        await reader.close()
