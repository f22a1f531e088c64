"""The fold: records in, rows out. Nothing else loops over events.

Use, once per batch: `keys_of(events)` names the rows the events are about; load those that exist into `Rows`;
`part_keys(rows, events)` then names the counting parts; load those too; `fold(rows, events)` changes the rows
in place and tells which ones. No clock, no I/O. A failed transaction leaves the rows ahead of the tables:
throw them away and load anew.

Promise: inside a partition events apply in offset order; any interleaving of partitions and any split into
batches gives the same rows (revisions aside). Each topic family writes its own fields; an event on a topic of
another family is not folded but noted as `wrong_topic`. An unknown type is counted and otherwise left alone, a
tombstone too. Records of dead letter topics are not part of a run again: they change nothing here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from coordination.agents import AGENT_FACTS
from coordination.anomalies import mark_of, note
from coordination.batch import Batch
from coordination.calls import CALLS, count, used
from coordination.counting import add_sample, add_work
from coordination.event import Event
from coordination.events import CATALOGUE
from coordination.fanouts import FANOUT_FACTS
from coordination.receipts import OUTCOMES
from coordination.requests import REQUEST_EVENTS
from coordination.rows import Keys, Layout, PartKeys, Rows, Touched
from coordination.runs import RUN_FACTS, RunPart, tenant_rank
from coordination.taskcommands import TASK_COMMANDS, fold_key_of
from coordination.taskfacts import TASK_FACTS
from coordination.tasks import Task
from coordination.tracks import answered, tell

__all__ = ["Keys", "Layout", "PartKeys", "Rows", "Touched", "fold", "keys_of", "part_keys"]


class Route(NamedTuple):
    """What an event type is about: the family it must stand on, how it is applied, whether it names a task,
    a request, a fan-out, an agent."""

    family: str
    apply: Callable[[Batch, Event], None]
    task: bool = False
    request: bool = False
    fan_out: bool = False
    agent: bool = False

    def named(self, event: Event) -> bool:
        """Whether the event names what it is about."""
        if self.task:
            return event.task_id != "" or self.request
        if self.fan_out:
            return _fanout_id(event) != ""
        return not self.agent or event.agent_id != ""


def fold(rows: Rows, events: Iterable[Event]) -> Touched:
    """Apply events, in offset order within each partition, to the rows in place."""
    batch = Batch(rows)
    topic, partition, parts, route_of = "", -1, batch.parts, ROUTES.get
    for event in events:
        if event.partition != partition or event.topic != topic:
            topic, partition = event.topic, event.partition
            parts = batch.enter(topic, partition)
        if batch.dead:
            continue
        run_id, part = event.run_id, None
        if run_id:
            part = parts.get(run_id) or batch.run_part(run_id, batch.shard)
            _tally(part, event)
        route = route_of(event.name)
        if route is None or event.data is None:
            continue
        if route.family != batch.family:
            _misplaced(batch, event, part, route)
        elif (route.task and event.task_id) or route.named(event):
            route.apply(batch, event)
        elif part is not None:
            _without_subject(part, event)
    return batch.close()


def keys_of(events: Iterable[Event]) -> Keys:
    """The rows these events are about."""
    keys = Keys()
    for event in events:
        route = ROUTES.get(event.name)
        if route is None or event.data is None:
            continue
        if route.task and event.task_id:
            keys.tasks.add((event.run_id, event.task_id))
        if route.request and event.data.approval_id:
            keys.requests.add(event.data.approval_id)
        if route.fan_out and route.named(event):
            keys.fan_outs.add((event.run_id, _fanout_id(event)))
        if route.agent:
            keys.agents.add((_agent_group(event), event.agent_id))
    return keys


def part_keys(rows: Rows, events: Sequence[Event]) -> PartKeys:
    """The counting parts these events may touch, given the Task rows loaded for `keys_of(events)`."""
    keys, shard_of = PartKeys(), rows.layout.shard
    seen = set[tuple[str, str, str]]()
    for event in events:
        if not event.run_id:
            continue
        shard = shard_of(event.topic, event.partition)
        if event.name == "task.requested" and event.data is not None:
            keys.fold_parts.add((event.run_id, fold_key_of(event), shard))
        place = (event.run_id, event.task_id, shard)
        if place not in seen:
            seen.add(place)
            _parts_at(rows, keys, *place)
    return keys


def _parts_at(rows: Rows, keys: PartKeys, run_id: str, task_id: str, shard: str) -> None:
    keys.run_parts.add((run_id, shard))
    task = rows.tasks.get((run_id, task_id)) if task_id else None
    if task_id and (task is None or not task.commanded):
        keys.fold_parts.add((run_id, "", shard))
    if task is not None:
        _parts_of(task, rows, keys)


def _parts_of(task: Task, rows: Rows, keys: PartKeys) -> None:
    keys.run_parts.add((task.run_id, task.shard))
    keys.fold_parts.add((task.run_id, task.fold_key, task.shard))
    for track in task.tracks:
        if track.failed_at is not None:
            keys.run_parts.add((task.run_id, rows.layout.shard(track.topic, track.partition)))


def _tally(part: RunPart, event: Event) -> None:
    part.events += 1
    at = event.at
    if part.last_at is None or part.first_at is None:
        part.first_at = part.last_at = at
    elif at > part.last_at:
        part.last_at = at
    elif at < part.first_at:
        part.first_at = at
    if event.tenant != part.tenant:
        part.tenant = min(part.tenant, event.tenant, key=tenant_rank)
    if event.derived:
        part.derived_times = True
    if not event.known:
        part.unknown_events += 1


def _misplaced(batch: Batch, event: Event, part: RunPart | None, route: Route) -> None:
    # A topic with another partition count has other shards, whose workers must not write this task's row.
    if part is not None:
        note(part, event, "wrong_topic")
    if route.task and event.task_id and batch.rows.layout.alike(event.topic, route.family):
        note(batch.task(event), event, "wrong_topic")


def _without_subject(part: RunPart, event: Event) -> None:
    if event.name in _PRICED:
        data: Any = event.data
        model = event.name == "model.call.completed"
        add_work(part, (not model, model, *used(data)), 1)
    else:
        note(part, event, "no_subject")


_PRICED: Final = frozenset(("tool.call.completed", "tool.call.failed", "model.call.completed"))


def _told(batch: Batch, event: Event) -> None:
    task = batch.task(event)
    tell(task, event)
    if task.seen_at is None or event.at > task.seen_at:
        task.seen_at = event.at


def _called(batch: Batch, event: Event) -> None:
    task = batch.task(event)
    if task.seen_at is None or event.at > task.seen_at:
        task.seen_at = event.at
    if event.name != "tool.call.started":
        count(task, event)


def _asked(batch: Batch, event: Event) -> None:
    task = batch.task(event)
    TASK_COMMANDS["task.requested"](task, event)
    if (task.command_topic, task.command_partition, task.command_offset) == mark_of(event):
        task.shard = batch.shard
    if event.run_id:
        key = (event.run_id, fold_key_of(event), batch.shard)
        part = batch.fold_parts.get(key) or batch.fold_part(*key)
        add_sample(part, event)


def _commanded(batch: Batch, event: Event) -> None:
    TASK_COMMANDS[event.name](batch.task(event), event)


def _resumed(batch: Batch, event: Event) -> None:
    if event.task_id:
        _commanded(batch, event)
    _reviewed(batch, event)


def _answered(batch: Batch, event: Event) -> None:
    if event.task_id:
        answered(batch.task(event), event)
    _reviewed(batch, event)


def _reviewed(batch: Batch, event: Event) -> None:
    approval_id = event.data.approval_id
    if approval_id:
        REQUEST_EVENTS[event.name](batch.request(event, approval_id), event)


def _ran(batch: Batch, event: Event) -> None:
    if event.run_id:
        RUN_FACTS[event.name](batch.run_part(event.run_id, batch.shard), event)


def _fanned(batch: Batch, event: Event) -> None:
    FANOUT_FACTS[event.name](batch.fan_out(event, _fanout_id(event)), event)


def _fanout_id(event: Event) -> str:
    kind, _, name = event.subject.partition("/")
    return event.fanout_id or (name if kind == "fanout" else "")


def _agent(batch: Batch, event: Event) -> None:
    AGENT_FACTS[event.name](batch.agent(event, _agent_group(event)), event)


def _agent_group(event: Event) -> str:
    return event.agent_group or event.data.agent_group


def _routes() -> dict[str, Route]:
    table: dict[str, Route] = {}

    def add(names: Iterable[str], apply: Callable[[Batch, Event], None], **about: bool) -> None:
        for name in names:
            table[name] = Route(CATALOGUE[name].topic, apply, **about)

    add(TASK_COMMANDS, _commanded, task=True)
    add(["task.requested"], _asked, task=True)
    add(TASK_FACTS, _told, task=True)
    add(["tool.call.started", *CALLS], _called, task=True)
    add(REQUEST_EVENTS, _reviewed, request=True)
    add(["task.resume.requested"], _resumed, task=True, request=True)
    add(OUTCOMES, _answered, task=True, request=True)
    add(RUN_FACTS, _ran)
    add(FANOUT_FACTS, _fanned, fan_out=True)
    add(AGENT_FACTS, _agent, agent=True)
    return table


ROUTES: Final = _routes()
