"""Summaries: the current state of tasks, runs and agents on compacted topics, cheap for others to read.

Published from the tables, some seconds behind them: whatever the batches since the last time touched, each once,
however often it changed. A summary carries the revision of its row as `version` and the positions it is true for; a
reader keeps the highest version of a key. Publishing is at least once, which a compacted topic does not notice.
"""

import asyncio
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
from django.db.models import F

from coordination.agents import Agent as AgentRow
from coordination.encoding import new_event
from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.eventlog import EventLog, NewRecord
from coordination.events import CATALOGUE
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.eventlog import open_eventlog
from dashboard.manifest import manifest
from dashboard.models import Agent, Position, Run, Segment, SummaryCursor, Task
from dashboard.outbox import AUTHOR, event_id, source
from dashboard.rebuild.stored import settled_batch
from dashboard.segments import SEGMENTS_A_BATCH, unpack
from dashboard.shards import Leases
from dashboard.wholetopic import records_of

ROLE: Final = "state"
SHARD: Final = f"{ROLE}:0"
CURSOR: Final = "state"
EVERY: Final = 5.0
AT_ONCE: Final = 200
"""Batches looked at in one turn: who is far behind catches up in steps."""
_AGENT: Final = msgspec.json.Decoder(AgentRow)
AsOf = Mapping[str, Mapping[str, int]]


async def run(stop: asyncio.Event) -> None:
    """Publish until `stop`; one process at a time does."""
    database = DatabaseThread("state")
    leases = Leases(f"{socket.gethostname()}-{secrets.token_hex(6)}", ROLE)
    renew_at = 0.0
    try:
        while not stop.is_set():
            if time.monotonic() >= renew_at:
                renew_at = time.monotonic() + leases.every
                await database.run(leases.renew, [SHARD])
            behind = SHARD in leases.held and await publish(open_eventlog(), database)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.0 if behind else EVERY)
    finally:
        await database.run(leases.release)
        await database.close()


async def publish(log: EventLog, database: DatabaseThread) -> bool:
    """One turn; True if there is more to do at once. Raises what the log raises; then the turn is done again."""
    upto, records, more = await database.run(due)
    if records:
        await log.append(records)
    await database.run(_done, upto, len(records))
    return more


def due() -> tuple[int, list[NewRecord], bool]:
    """(the batch up to which these are the summaries, the records to append, whether more batches wait)."""
    cursor, _ = SummaryCursor.objects.get_or_create(name=CURSOR)
    newest = settled_batch()
    upto = min(newest, cursor.batch_id + AT_ONCE)
    touched = _touched(cursor.batch_id, upto)
    return upto, summaries(*touched), upto < newest


def _done(upto: int, published: int) -> None:
    SummaryCursor.objects.filter(name=CURSOR, batch_id__lte=upto).update(
        batch_id=upto, published=F("published") + published, at=database_now()
    )


def _touched(after: int, upto: int) -> tuple[set[str], set[tuple[str, str]], set[str]]:
    """The runs, the tasks and the agents that records of these batches name."""
    runs: set[str] = set()
    tasks: set[tuple[str, str]] = set()
    agents: set[str] = set()
    first, last = (after + 1) * SEGMENTS_A_BATCH, (upto + 1) * SEGMENTS_A_BATCH
    segments = Segment.objects.filter(id__gte=first, id__lt=last).order_by("id")
    for run_id, dictionary, blob in segments.values_list("run_id", "dictionary_id", "blob").iterator(chunk_size=100):
        if run_id:
            runs.add(run_id)
        for record in unpack(dictionary, bytes(blob)):
            for name, value in record.headers:
                if name == "ce_taskid":
                    tasks.add((run_id, value.decode(errors="replace")))
                elif name == "ce_agentid" and not run_id:
                    agents.add(value.decode(errors="replace"))
    return runs, tasks, agents


def summaries(runs: Iterable[str], tasks: Iterable[tuple[str, str]], agents: Iterable[str]) -> list[NewRecord]:
    """The summaries of these rows as the tables have them now; a row that is not there has none."""
    as_of, found = _as_of(), []
    wanted: dict[str, set[str]] = defaultdict(set)
    for run_id, task_id in tasks:
        wanted[run_id].add(task_id)
    for run_id, ids in sorted(wanted.items()):
        for row in Task.objects.defer("body").filter(run_id=run_id, task_id__in=ids).order_by("task_id"):
            found.append(_of_task(row, as_of))
    found += [_of_run(row, as_of) for row in Run.objects.filter(run_id__in=set(runs)).order_by("run_id")]
    rows = Agent.objects.filter(agent_id__in=set(agents)).order_by("agent_id")
    return found + [_of_agent(row, _AGENT.decode(row.body), as_of) for row in rows]


def _as_of() -> dict[str, dict[str, dict[str, int]]]:
    """Shard -> topic -> partition -> next offset."""
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in Position.objects.exclude(records=0):
        found[row.shard][row.topic][str(row.partition)] = row.next_offset
    return found


def _of_task(row: Task, as_of: Mapping[str, AsOf]) -> NewRecord:
    data = {
        "state": row.state,
        "version": row.revision,
        "as_of": as_of.get(row.shard, {}),
        "task_type": row.task_type,
        "title": row.title,
        "agent_group": row.agent_group,
        "attempt": row.attempt,
    }
    return _summary("task", row.revision, data, run_id=row.run_id, task_id=row.task_id, tenant=row.tenant)


def _of_run(row: Run, as_of: Mapping[str, AsOf]) -> NewRecord:
    everywhere: dict[str, dict[str, int]] = defaultdict(dict)
    for of_shard in as_of.values():
        for topic, partitions in of_shard.items():
            if ".run." in f".{manifest().family_of(topic)}":
                everywhere[topic].update(partitions)
    data = {
        "state": row.state or "working",
        "version": row.revision,
        "as_of": everywhere,
        "name": row.name,
        "workflow": row.workflow,
        "counts": row.counts,
    }
    return _summary("run", row.revision, data, run_id=row.run_id, tenant=row.tenant)


def _of_agent(row: Agent, whole: AgentRow, as_of: Mapping[str, AsOf]) -> NewRecord:
    heard = {topic: partitions for each in as_of.values() for topic, partitions in each.items() if "ops." in topic}
    data = {
        "state": whole.state or "unknown",
        "version": row.revision,
        "as_of": heard,
        "agent_group": row.agent_group,
        "running": list(whole.running),
    }
    return _summary("agent", row.revision, data, agent_id=row.agent_id, tenant=whole.tenant or "default")


def _summary(kind: str, revision: int, data: dict[str, Any], **about: Any) -> NewRecord:
    name, key = f"{kind}.summary.updated", [str(value) for value in about.values()]
    return new_event(
        name,
        manifest=manifest(),
        source=source(),
        id=event_id(name, revision, *key),
        time=database_now(),
        data=data,
        **({"agent_id": AUTHOR} | about),
    )


class Difference(msgspec.Struct, frozen=True):
    """A summary on the log that is not what the tables say of the same version; None: the row is gone."""

    key: str
    told: Any
    now: Any


class Comparison(msgspec.Struct, frozen=True):
    """How the newest summaries on the log compare with the tables."""

    equal: int
    behind: int
    different: list[Difference]


async def newest(log: EventLog) -> dict[tuple[str, ...], Any]:
    """The newest summary of each key on the log: (kind, run, task) or (kind, run) or (kind, agent) -> data."""
    found: dict[tuple[str, ...], Any] = {}
    decoder = Decoder(manifest())
    for kind in ("task", "run", "agent"):
        async for record in records_of(log, manifest().topic_for(f"{kind}.summary.updated")):
            with suppress(MalformedRecord):
                event = decoder.decode(record)
                ids = {"task": (event.run_id, event.task_id), "run": (event.run_id,), "agent": (event.agent_id,)}[kind]
                key = (kind, *ids)
                if event.known and (key not in found or event.data.version >= found[key].version):
                    found[key] = event.data
    return found


def compare(told: Mapping[tuple[str, ...], Any]) -> Comparison:
    """Each summary against its row: equal, behind a newer row, or different."""
    equal = behind = 0
    different: list[Difference] = []
    for key, data in sorted(told.items()):
        now = _current(key)
        if now is not None and now.version > data.version:
            behind += 1
        elif now is not None and msgspec.structs.replace(now, as_of={}) == msgspec.structs.replace(data, as_of={}):
            equal += 1
        else:
            different.append(Difference("/".join(key), data, now))
    return Comparison(equal, behind, different)


def _current(key: tuple[str, ...]) -> Any:
    """The summary of a row as it is now, as a reader would decode it; None if there is no such row."""
    kind, *ids = key
    if kind == "task":
        tasks = Task.objects.defer("body").filter(run_id=ids[0], task_id=ids[1])
        made = [_of_task(row, {}) for row in tasks]
    elif kind == "run":
        made = [_of_run(row, {}) for row in Run.objects.filter(run_id=ids[0])]
    else:
        made = [_of_agent(row, _AGENT.decode(row.body), {}) for row in Agent.objects.filter(agent_id=ids[0])]
    schema = CATALOGUE[f"{kind}.summary.updated"].schema
    return msgspec.json.decode(made[0].value or b"", type=schema) if made else None
