"""How long the fold takes per event, on a stream as runs with model-driven agents make it.

    uv run python -m tests.benchmarks.bench_fold [tasks]

Prints µs of processor time per event, each the best of five. The goal is 2.5 for a batch as readers return it: a
thousand records, partition after partition. The worst case is a log read in turns, record by record, from all
partitions; the rebuild is one pass with the garbage collector off. Events are decoded from records just before,
untimed, because that is how they come: warm in the processor's cache, every text a new object. What decoding
takes is printed to compare with: the fold is to cost less than that.
"""

import gc
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from coordination.envelope import decode, encode
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, Record, StoredRecord
from coordination.projection import Rows, fold, keys_of, part_keys
from tests.coordination.stories import Story

REPEATS = 5


def stream(tasks: int) -> list[Event]:
    """A stream of runs of about 100 tasks: fan-outs, tool and model calls, one retry in ten, some failures."""
    rng, story = random.Random(7), Story()
    lives = []
    for number in range(tasks):
        run, task = f"0190f3c2-run-{number // 100:08d}", f"0190f3c2-0000-7000-8000-{number:012d}"
        lives.append(_life(rng, run, task, number))
    spoken: list[Event] = []
    while lives:
        # Sixty tasks are under way at any time, as many agents would have it.
        index = rng.randrange(min(60, len(lives)))
        step = next(lives[index], None)
        if step is None:
            lives.pop(index)
        else:
            name, attributes = step
            spoken.append(story.say(name, **attributes))
    return spoken


def _life(rng: random.Random, run: str, task: str, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    who: dict[str, Any] = {"run": run, "task": task, "agent_group": "coder", "agent_id": f"coder-{number % 20}"}
    priced: dict[str, Any] = {"tokens_in": 900, "tokens_out": 120, "cost": "0.0123"}
    request = {"task_type": "research", "title": f"look into {number}", "input": {"topic": number}}
    yield (
        "task.requested",
        who
        | {
            "data": request,
            "target_group": "coder",
            "fold_key": f"{number % 7:016x}",
            "fanout_id": f"f-{run}",
            "fanout_index": number % 100,
        },
    )
    yield "task.accepted", who
    for attempt in range(1, 2 + (rng.random() < 0.1)):
        yield "task.started", who | {"attempt": attempt}
        for call in range(2):
            tool = {"tool_call_id": f"{task}-{attempt}-{call}", "tool_name": "search"}
            yield "model.call.completed", who | {"data": {"model": "m"} | priced}
            yield "tool.call.started", who | {"data": tool}
            yield "tool.call.completed", who | {"data": tool | {"result": {"hits": 3}}}
        yield "task.progressed", who | {"data": {"progress": 0.5, "step": "reading"}}
        if attempt == 1 and rng.random() < 0.1:
            yield "task.attempt.failed", who
    yield ("task.failed" if rng.random() < 0.02 else "task.completed"), who


def _record(event: Event) -> Record:
    new = encode(event)
    where = (event.topic, event.partition, event.offset, event.at // 1000, APPEND_TIME)
    return StoredRecord(*where, new.key, new.value, new.headers)


def grouped(events: list[Record], size: int) -> list[list[Record]]:
    """Batches as a reader returns them: each partition's records together."""
    cut = [events[start : start + size] for start in range(0, len(events), size)]
    return [sorted(batch, key=lambda event: (event.topic, event.partition)) for batch in cut]


def seconds(batches: list[list[Record]], *, keys: bool = False) -> float:
    """Time to fold the batches into fresh rows, best of `REPEATS`."""
    return min(_pass(batches, keys) for _ in range(REPEATS))


def _pass(batches: list[list[Record]], keys: bool) -> float:
    rows, took = Rows(), 0.0
    for batch in batches:
        events = [decode(record) for record in batch]
        started = time.thread_time()
        if keys:
            keys_of(events)
            part_keys(rows, events)
        fold(rows, events)
        took += time.thread_time() - started
    return took


def decoding(records: list[Record]) -> float:
    """Time to decode the records: the yardstick, because machines differ and are shared."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.thread_time()
        for record in records:
            decode(record)
        best = min(best, time.thread_time() - started)
    return best


def main() -> None:
    """Measure and print."""
    events = [_record(event) for event in stream(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)]
    gc.collect()
    gc.freeze()  # the log is not in the memory of the one who folds it
    turns = [events[start : start + 1000] for start in range(0, len(events), 1000)]
    live = grouped(events, 1000)

    def line(what: str, took: float) -> None:
        print(f"{what:36}{took / len(events) * 1e6:.2f}")

    print(f"{len(events)} events, µs of processor time per event, best of {REPEATS}")
    line("to compare: decoding them", decoding(events))
    line("fold, batches of 1,000", seconds(live))
    line("keys and fold, batches of 1,000", seconds(live, keys=True))
    line("fold, partitions in turns", seconds(turns))
    gc.disable()
    line("rebuild, one batch, collector off", seconds(grouped(events, len(events))))


if __name__ == "__main__":
    main()
