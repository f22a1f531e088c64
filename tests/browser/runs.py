"""Runs for browser tests: told as agents would tell them, folded, and kept as ingest would have kept them."""

import random
from collections.abc import Iterable

import msgspec

from coordination.encoding import encode
from coordination.event import Event
from coordination.eventlog import APPEND_TIME, StoredRecord
from coordination.projection import Rows, fold
from coordination.runs import merge_parts
from coordination.tasks import Task as TaskRow
from dashboard.ingest.tables import TASKS
from dashboard.models import FanOut, FoldPart, Run, RunPart, Task
from tests.coordination.graphs import Run as Story
from tests.coordination.graphs import fanned
from tests.dashboard.recordings import Recording
from tests.dashboard.scenes import run


def keep(story: Story, run_id: str = "run-1") -> Rows:
    """Writes the rows of a story under this id; returns them."""
    rows = Rows()
    fold(rows, story.story.events())
    first = min((task.requested_at for task in rows.tasks.values() if task.requested_at), default=None)
    run(run_id, counts=_counts(rows), first_at=first, started_at=first)
    keep_parts(rows, run_id)
    return rows


def keep_events(events: Iterable[Event]) -> Run:
    """Writes the rows that the events of one run fold into; returns the run."""
    rows = Rows()
    fold(rows, events)
    parts = list(rows.run_parts.values())
    summary = merge_parts(parts)
    for part in parts:
        body = msgspec.json.encode(part).decode()
        RunPart.objects.create(run_id=part.run_id, shard=part.shard, revision=1, body=body)
    names = ("name", "workflow", "state", "started_at", "ended_at", "first_at", "last_at", "events", "derived_times")
    known = {name: getattr(summary, name) for name in names}
    made = Run.objects.create(run_id=summary.run_id, counts=summary.counts, total=summary.total, revision=1, **known)
    keep_parts(rows, summary.run_id)
    return made


def _counts(rows: Rows) -> dict[str, int]:
    counts: dict[str, int] = {}
    for task in rows.tasks.values():
        counts[task.state] = counts.get(task.state, 0) + 1
    return counts


def keep_parts(rows: Rows, run_id: str) -> None:
    """Writes tasks, folds and fan-outs under this run id."""
    names = [name for name, _ in TASKS.all_columns]
    tasks = [msgspec.structs.replace(task, run_id=run_id) for task in rows.tasks.values()]
    Task.objects.bulk_create((Task(**dict(zip(names, _values(task), strict=True))) for task in tasks), batch_size=500)
    for part in rows.fold_parts.values():
        body = msgspec.json.encode(part).decode()
        kind = {"agent_group": part.agent_group, "task_type": part.task_type}
        FoldPart.objects.create(run_id=run_id, fold_key=part.fold_key, shard=part.shard, revision=1, body=body, **kind)
    for row in rows.fan_outs.values():
        body = msgspec.json.encode(msgspec.structs.replace(row, run_id=run_id)).decode()
        FanOut.objects.create(run_id=run_id, fanout_id=row.fanout_id, revision=1, body=body)


def record(story: Story) -> Rows:
    """As `keep`, with the records that the rows were folded from."""
    rows, log = keep(story), Recording()
    for event in sorted(story.story.events(), key=lambda event: event.at):
        new = encode(event)
        where = event.topic, event.partition, event.offset, event.at // 1000, APPEND_TIME
        log.records.append(StoredRecord(*where, new.key, new.value, new.headers))
    log.store()
    Run.objects.update(events=len(log.records))
    return rows


def _values(task: TaskRow) -> tuple[object, ...]:
    return (*TASKS.values(task), task.revision, msgspec.json.encode(task).decode())


def random_graph(count: int = 5_000) -> Story:
    """A random graph without cycles."""
    rng, story = random.Random(7), Story()
    for index in range(count):
        needs = rng.sample(range(max(0, index - 200), index), min(index, rng.choice((0, 1, 1, 2, 3))))
        story.ask(f"t{index}", f"kind-{rng.randrange(12)}", needs=[f"t{one}" for one in needs])
    return story


def chain(count: int = 2_000) -> Story:
    """One task after another."""
    story = Story()
    for index in range(count):
        story.ask(f"t{index:05}", f"step-{index % 9}", needs=[f"t{index - 1:05}"] if index else [])
    return story


def many_kinds(kinds: int = 30) -> Story:
    """Six tasks of each of many kinds, each kind behind one task of the kind before."""
    story = Story()
    for kind in range(kinds):
        for index in range(6):
            story.ask(f"k{kind:02}-{index}", f"kind-{kind}", needs=[f"k{kind - 1:02}-0"] if kind % 5 else [])
    return story


def wide(branches: int = 1_100, failed: int = 3) -> Story:
    """One fan-out and its join, three branches of which failed."""
    story = fanned(branches)
    for index in range(branches - 20):
        story.say("task.started", f"b{index:04}")
        story.say("task.failed" if index < failed else "task.completed", f"b{index:04}")
    return story


def nested() -> Story:
    """Fan-outs three deep, with work at every level."""
    story = Story()
    story.ask("root", "root")
    story.open("f", "root")
    for one in range(8):
        story.ask(f"a{one}", "analyse", parent="root", fanout="f", index=one)
        story.open(f"g{one}", f"a{one}")
        for two in range(8):
            story.ask(f"b{one}-{two}", "branch", parent=f"a{one}", fanout=f"g{one}", index=two)
            story.open(f"h{one}-{two}", f"b{one}-{two}")
            for three in range(7):
                story.ask(f"c{one}-{two}-{three}", "read", parent=f"b{one}-{two}", fanout=f"h{one}-{two}", index=three)
    story.ask("end", "end", needs=[f"a{one}" for one in range(8)])
    return story
