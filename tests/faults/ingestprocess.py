"""A program for tests: read a log into the tables in processes of which one after the other is killed.

    python -m tests.faults.ingestprocess EVENTS STAGE=HIT[+DELAY_MS] …

For every STAGE=HIT a process of its own ingests and is killed (SIGKILL) when its store reaches that stage for the
HITth time, or so many milliseconds later: always while a batch is open. Then its leases are over, as they would be
after a while, and the next begins; the last one drains the log. Database and log come from the environment. Prints
one JSON line for each death, and at the end one that compares tables and log.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from coordination.eventlog import TopicPartition  # noqa: E402
from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.ingest.loop import Ingest  # noqa: E402
from dashboard.ingest.store import Store  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402
from dashboard.models import Position, Run, Task  # noqa: E402
from dashboard.runtime import make_store, worker_name  # noqa: E402
from dashboard.shards import Leases  # noqa: E402
from tests.benchmarks.workload import Workload  # noqa: E402
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records  # noqa: E402
from tests.faults.relayprocess import expire_leases, forked  # noqa: E402

# In the order in which a batch passes them; `lock` is the first thing in its transaction, `settle` the last.
STAGES = ("lock", "enter_keys", "new_batch", "load", "save", "save_runs", "add_segments", "advance", "settle")
CHUNK = 2_000


def prepare(events: int) -> None:
    """Tables, topics, and a log full of events."""
    call_command("migrate", verbosity=0, skip_checks=True)
    asyncio.run(_fill(events))


async def _fill(events: int) -> None:
    log, workload = open_eventlog(), Workload(namespace=manifest().namespace, tasks=25, live_runs=6)
    await log.create_topics(manifest().specs())
    for start in range(0, events, CHUNK):
        await log.append(workload.records(min(CHUNK, events - start)))
    await close_eventlog()


def ingest(death: str = "") -> None:
    """Ingest until killed, or until everything is read."""
    store = make_store()
    if death:
        _doom(store, death)
    leases = Leases(worker_name(), "ingest")
    ingesting = Ingest(open_eventlog, manifest(), store, leases, drain=True, close_log=close_eventlog)
    if not ingesting.run(threading.Event()):
        raise RuntimeError("the log was not drained")


def _doom(store: Store, death: str) -> None:
    stage, _, rest = death.partition("=")
    hit, _, delay = rest.partition("+")
    original: Callable[..., Any] = getattr(store, stage)
    left = int(hit)

    def reached(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        answer = original(*args, **kwargs)
        if left == 0:
            threading.Timer(float(delay or 0) / 1000, os.kill, (os.getpid(), signal.SIGKILL)).start()
            if not delay:
                threading.Event().wait()
        return answer

    setattr(store, stage, reached)


def report() -> None:
    """Compare the tables with the log."""
    records = stored_records()
    ordered = sorted(records, key=lambda each: (each.topic, each.partition, each.offset))
    places = {(each.topic, each.partition, each.offset) for each in records}
    told = {
        "records": len(records),
        "places": len(places),
        "read": sum(Position.objects.values_list("records", flat=True)),
        "ends": asyncio.run(_ends()),
        "positions": sum(Position.objects.values_list("next_offset", flat=True)),
        "tasks": Task.objects.count(),
        "events_of_runs": sum(Run.objects.values_list("events", flat=True)),
        "as_one_fold": rows_in_tables() == rows_of_fold(ordered, manifest()),
    }
    print(json.dumps(told), flush=True)


async def _ends() -> int:
    log = open_eventlog()
    partitions = [(row.topic, row.partition) async for row in Position.objects.all()]
    ends = await log.ends([TopicPartition(*one) for one in partitions])
    await close_eventlog()
    return sum(end.stable for end in ends.values())


def main(events: int, deaths: list[str]) -> int:
    """Exit code 0 when every process died as planned and the last one drained the log."""
    if forked(lambda: prepare(events)):
        return 2
    for death in deaths:
        if os.WTERMSIG(forked(lambda death=death: ingest(death))) != signal.SIGKILL:  # type: ignore[misc]
            return 3
        print(json.dumps({"death": death}), flush=True)
        if forked(expire_leases):
            return 4
    if forked(ingest):
        return 5
    return forked(report)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
