"""The floor of reading: aiokafka's records decoded by the plainest means that do the same work. Never changed.

Each record becomes a struct of its headers, with the instant in UTC and the data of its type checked. What it leaves
out is what a dashboard has to do besides: duplicates, malformed records, rows, storage.
"""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from coordination.events import CATALOGUE


class Plain(msgspec.Struct, gc=False):
    """An event with the attributes a record of ours has."""

    id: str
    source: str
    type: str
    specversion: str
    time: datetime
    tenant: str = ""
    subject: str = ""
    agentid: str = ""
    agentgroup: str = ""
    correlationid: str = ""
    causationid: str = ""
    taskid: str = ""
    attempt: int = 0
    sequence: str = ""
    partitionkey: str = ""
    data: Any = None


_schemas = {entry.type: msgspec.json.Decoder(entry.schema) for entry in CATALOGUE.values()}
_names = {f"ce_{name}": name for name in Plain.__struct_fields__}


def decode(record: Any) -> Plain:
    """A record as a Plain event."""
    fields: dict[str, Any] = {}
    for name, value in record.headers:
        field = _names.get(name)
        if field is not None:
            fields[field] = value.decode()
    event = msgspec.convert(fields, Plain, strict=False)
    event.time = event.time.astimezone(UTC)
    event.data = _schemas[event.type].decode(record.value)
    return event


async def floor(bootstrap: str, topics: list[str], count: int) -> tuple[float, float]:
    """Read and decode `count` records; wall and processor time per event, in µs."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(12)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        seen, wall, cpu = 0, time.perf_counter(), time.process_time()
        while seen < count:
            for found in (await consumer.getmany(timeout_ms=1000, max_records=200)).values():
                for record in found:
                    decode(record)
                seen += len(found)
        return (time.perf_counter() - wall) / seen * 1e6, (time.process_time() - cpu) / seen * 1e6
    finally:
        await consumer.stop()
