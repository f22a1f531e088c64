"""How fast the Kafka log reads, appends and commits: `python -m tests.benchmarks.bench_kafkalog [--records N]`.

Starts a broker of its own. Two shapes of record: bare (100 bytes, no headers), to compare with figures of other
clients, and like ours (13 headers of 580 bytes, 280 bytes of data). Prints one line per figure.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Sequence

from coordination.eventlog import NewRecord, TopicPartition, TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from tests.services.kafka import KafkaBroker

PARTITIONS = 12
ATTRIBUTES = "specversion id source type time subject tenant agentid correlationid causationid taskid attempt key"
HEADERS = tuple((f"ce_{name}", b"some-value-of-30-bytes-" + name.encode()) for name in ATTRIBUTES.split())
SHAPES = {"bare": (b"x" * 100, ()), "ours": (b'{"a":1}' * 40, HEADERS)}


def records(shape: str, count: int) -> list[NewRecord]:
    """`count` records of a shape, their keys spread over the partitions."""
    value, headers = SHAPES[shape]
    return [NewRecord(f"bench.{shape}", b"task-%d" % (number % 5000), value, headers) for number in range(count)]


def everything(shape: str) -> dict[TopicPartition, int]:
    """All partitions from the beginning."""
    return {TopicPartition(f"bench.{shape}", number): 0 for number in range(PARTITIONS)}


def show(shape: str, what: str, figure: str) -> None:
    """One line of the result."""
    print(f"{shape:5} {what:58} {figure}", flush=True)


async def append(log: KafkaLog, shape: str, count: int, size: int) -> float:
    """Records/s in batches of `size`, one after the other."""
    batch = records(shape, size)
    started = time.perf_counter()
    for _ in range(0, count, size):
        await log.append(batch)
    return count / (time.perf_counter() - started)


async def append_together(log: KafkaLog, shape: str, count: int) -> float:
    """Records/s of concurrent appends of one record each."""
    started = time.perf_counter()
    await asyncio.gather(*(log.append([record]) for record in records(shape, count)))
    return count / (time.perf_counter() - started)


async def read(log: KafkaLog, shape: str, max_records: int) -> float:
    """Records/s of one reader of all partitions, from the first record it returns to the last."""
    end = sum(ends.stable for ends in (await log.ends(list(everything(shape)))).values())
    reader = await log.reader(everything(shape))
    gc.collect()
    got = len(await reader.read(max_records, 5.0))
    started, first = time.perf_counter(), got
    while got < end:
        got += len(await reader.read(max_records, 1.0))
    took = time.perf_counter() - started
    await reader.close()
    return (got - first) / took


async def wake_up(log: KafkaLog, count: int) -> list[float]:
    """Seconds from before an append until a waiting reader holds the record."""
    ends = await log.ends(list(everything("ours")))
    reader = await log.reader({partition: at.stable for partition, at in ends.items()})
    took = []
    for record in records("ours", count):
        waiting = asyncio.create_task(reader.read(100, 5.0))
        await asyncio.sleep(0.01)
        started = time.perf_counter()
        await log.append([record])
        await waiting
        took.append(time.perf_counter() - started)
    await reader.close()
    return took


async def commit(log: KafkaLog, count: int, facts: int) -> list[float]:
    """Seconds a member's commit of one position with `facts` records takes."""
    member = await log.join(f"bench.{facts}", ["bench.ours"], client_id="bench")
    while not member.assignment():
        await member.poll(1, 0.2)
    written = [NewRecord("bench.facts", *record[1:4]) for record in _plain(records("ours", facts))]
    took = []
    for number in range(1, count + 1):
        started = time.perf_counter()
        await member.commit({TopicPartition("bench.ours", 0): number}, written)
        took.append(time.perf_counter() - started)
    await member.close()
    return took


def _plain(given: Sequence[NewRecord]) -> list[tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]]:
    return [(record.topic, record.key, record.value, record.headers) for record in given]


def percentiles(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and worst, in milliseconds."""
    ordered = sorted(seconds)
    at = [ordered[int(len(ordered) * share)] for share in (0.5, 0.95)]
    return f"p50 {at[0] * 1e3:.1f} ms  p95 {at[1] * 1e3:.1f} ms  worst {ordered[-1] * 1e3:.1f} ms"


async def measure(url: str, count: int) -> None:
    """All figures, one after the other."""
    log = open_kafkalog(url)
    await log.create_topics([TopicSpec(f"bench.{name}", PARTITIONS) for name in (*SHAPES, "facts")])
    for shape in SHAPES:
        for size in (100, 1000, 5000):
            show(shape, f"append, {size} a call", f"{await append(log, shape, count // 3, size):10,.0f} records/s")
        show(shape, "append, one a call, concurrently", f"{await append_together(log, shape, 5000):10,.0f} records/s")
        for size in (200, 1000, 5000):
            best = max([await read(log, shape, size) for _ in range(3)])
            show(shape, f"read, {size} a call, best of 3", f"{best:10,.0f} records/s")
    show("ours", "append until a waiting reader holds it", percentiles(await wake_up(log, 200)))
    for facts in (0, 3, 50):
        show("ours", f"commit of a position with {facts} facts", percentiles(await commit(log, 100, facts)))
    await log.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=150_000)
    with KafkaBroker() as broker:
        asyncio.run(measure(f"kafka://{broker.bootstrap}", parser.parse_args().records))
