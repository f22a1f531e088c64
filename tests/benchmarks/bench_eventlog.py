"""How fast our own logs append and read: `python -m tests.benchmarks.bench_eventlog [--records N] [--only NAME]`.

Prints one line per log and figure. Records are like real ones: 13 headers (580 bytes) and 280 bytes of data.
"""

import argparse
import asyncio
import gc
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from coordination.eventlog import EventLog, NewRecord, TopicPartition, TopicSpec
from coordination.httplog import HttpLog
from coordination.memorylog import MemoryLog
from coordination.sqlitelog import SqliteLog
from coordination.wakeup import Wakeup
from tests.coordination.logserver import LogServer

LOGS = ("memory", "sqlite", "http")
TOPIC = "bench.run.task.events"
PARTITIONS = 12
ATTRIBUTES = (
    "specversion id source type time subject tenant agentid correlationid causationid taskid attempt partitionkey"
)
HEADERS = tuple((f"ce_{name}", b"some-value-of-30-bytes-" + name.encode()) for name in ATTRIBUTES.split())
VALUE = b'{"a":1}' * 40


def records(count: int, start: int = 0) -> list[NewRecord]:
    """`count` records whose keys spread over the partitions."""
    return [NewRecord(TOPIC, b"task-%d" % number, VALUE, HEADERS) for number in range(start, start + count)]


def everything() -> dict[TopicPartition, int]:
    """All partitions from the beginning."""
    return {TopicPartition(TOPIC, number): 0 for number in range(PARTITIONS)}


def show(log: str, what: str, figure: str) -> None:
    """One line of the result."""
    print(f"{log:8} {what:58} {figure}", flush=True)


def percentiles(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and worst, in milliseconds."""
    ordered = sorted(seconds)
    at = [ordered[int(len(ordered) * share)] for share in (0.5, 0.95)]
    return f"p50 {at[0] * 1e3:.2f} ms  p95 {at[1] * 1e3:.2f} ms  worst {ordered[-1] * 1e3:.1f} ms"


async def append_batches(log: EventLog, count: int) -> float:
    """Records/s in batches of 100, one after the other."""
    batches = [records(100, start) for start in range(0, count, 100)]
    started = time.perf_counter()
    for batch in batches:
        await log.append(batch)
    return count / (time.perf_counter() - started)


async def append_singly(log: EventLog, rate: float, count: int) -> list[float]:
    """Seconds each lone append took, at a steady rate."""
    took = []
    for number in range(count):
        started = time.perf_counter()
        await log.append(records(1, number))
        took.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, 1 / rate - took[-1]))
    return took


async def append_together(log: EventLog, count: int) -> float:
    """Records/s of concurrent appends of one record each."""
    started = time.perf_counter()
    await asyncio.gather(*(log.append(records(1, number)) for number in range(count)))
    return count / (time.perf_counter() - started)


async def read_all(log: EventLog, max_records: int) -> float:
    """Records/s of one reader of all partitions, from the beginning to the end."""
    end = sum(ends.stable for ends in (await log.ends(list(everything()))).values())
    reader = await log.reader(everything())
    gc.collect()
    started, got = time.perf_counter(), 0
    while got < end:
        got += len(await reader.read(max_records, 1.0))
    took = time.perf_counter() - started
    await reader.close()
    return got / took


async def wake_up(log: EventLog, other: EventLog, count: int) -> list[float]:
    """Seconds from before an append through `other` until a waiting reader of `log` holds the record."""
    reader = await log.reader({p: e.stable for p, e in (await log.ends(list(everything()))).items()})
    took = []
    for number in range(count):
        waiting = asyncio.create_task(reader.read(100, 5.0))
        await asyncio.sleep(0.01)
        started = time.perf_counter()
        await other.append(records(1, number))
        await waiting
        took.append(time.perf_counter() - started)
    await reader.close()
    return took


async def beside_a_busy_thread(measure: Callable[[], object]) -> None:
    """Run a measurement while another thread computes."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        result = measure()
        if asyncio.iscoroutine(result):
            await result
    finally:
        stop.set()
        thread.join()


@asynccontextmanager
async def opened(name: str, folder: Path) -> AsyncIterator[EventLog]:
    """A fresh log with the topic."""
    server = LogServer(folder)
    if name == "http":
        server.start()
    kinds: dict[str, Callable[[], EventLog]] = {
        "memory": MemoryLog,
        "sqlite": lambda: SqliteLog(folder / "bench.sqlite3"),
        "http": lambda: HttpLog(server.base_url, server.token),
    }
    log = kinds[name]()
    await log.create_topics([TopicSpec(TOPIC, PARTITIONS)])
    yield log
    await log.close()
    server.stop()


async def bench(name: str, count: int) -> None:
    """All figures of one log."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(name, Path(folder)) as log:
            show(name, "append, batches of 100", f"{await append_batches(log, count):,.0f} records/s")
            show(name, "append, 2,000 at once, one record each", f"{await append_together(log, 2000):,.0f} records/s")
            show(name, "append, one at a time, 100/s", percentiles(await append_singly(log, 100, 200)))
            for size in (100, 300, 1000, 5000):
                show(name, f"read, max_records={size}", f"{await read_all(log, size):,.0f} records/s")
            show(name, "append to waiting reader, same log", percentiles(await wake_up(log, log, 200)))

            async def busy() -> None:
                show(name, "read beside a busy thread", f"{await read_all(log, 1000):,.0f} records/s")
                show(name, "append beside a busy thread", percentiles(await append_singly(log, 50, 50)))

            if name != "http":
                await beside_a_busy_thread(busy)
            if isinstance(log, SqliteLog):
                other = SqliteLog(log.path)
                other.source.wakeup = other._writer._wakeup = Wakeup()
                show(
                    name, "append to waiting reader, as of another process", percentiles(await wake_up(log, other, 200))
                )
                await other.close()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--only", choices=LOGS)
    options = parser.parse_args()
    for name in LOGS:
        if options.only in (None, name):
            asyncio.run(bench(name, options.records))


if __name__ == "__main__":
    main()
