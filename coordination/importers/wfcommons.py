"""WfCommons recordings: a run as a graph of tasks with their run times.

No start times were recorded. They are derived: a task is requested and starts when the last of its parents has
ended, and ends after its run time; so every event of a task is `derived`. The run's own length is recorded.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from coordination.canonical import digest
from coordination.eventlog import NewRecord
from coordination.foldkeys import FoldKeys
from coordination.importers.recording import DEFAULT_TENANT, BadRecording, Recording, Scribe, fitting, slug
from coordination.importers.tasktypes import clean_task_type
from coordination.importers.wfformat import (
    WfFile,
    WfTask,
    edges_of,
    end_of,
    group_of,
    in_order,
    makespan_of,
    parse,
    started_at,
    tasks_of,
)
from coordination.manifest import Manifest

ORIGIN: Final = "wfcommons"
MAX_TITLE: Final = 200
# Characters of parents' ids; the record that names them must stay readable.
MAX_EDGES: Final = 800_000


class Step(msgspec.Struct, frozen=True):
    """One task, ready to be told: instants in microseconds, inputs as task ids, `gate` the last of them to end."""

    task_id: str
    name: str
    task_type: str
    fold_key: str
    inputs: tuple[str, ...]
    gate: str
    started_at: int
    ended_at: int
    measured: WfTask


def looks_like(content: Any) -> bool:
    """Whether parsed JSON is a WfCommons recording."""
    return isinstance(content, Mapping) and isinstance(content.get("workflow"), Mapping)


def read(
    content: bytes, *, run_id: str = "", manifest: Manifest | None = None, tenant: str = DEFAULT_TENANT
) -> Recording:
    """The recording of a WfCommons file. Raises BadRecording."""
    file = parse(content)
    tasks, measured = tasks_of(file.workflow)
    if not tasks:
        raise BadRecording("This WfCommons file has no tasks.")
    name = file.name.removesuffix(".json")
    run = run_id or f"{slug(name, 'workflow')}-{digest([file.createdAt, sorted(tasks)])[:8]}"
    steps = _steps(file, tasks, measured)
    return Recording(run, ORIGIN, len(tasks), _records(file, steps, Scribe(ORIGIN, run, manifest, tenant)))


def _steps(file: WfFile, tasks: Mapping[str, WfTask], measured: Mapping[str, WfTask]) -> list[Step]:
    edges = edges_of(tasks)
    start, group, keys = started_at(file), group_of(file), FoldKeys()
    ends: dict[str, int] = {}
    steps = []
    for ident in in_order(edges):
        task, inputs = tasks[ident], edges[ident]
        gate = max((one for one in inputs if one in ends), key=lambda one: (ends[one], one), default="")
        began = ends.get(gate, start)
        ends[ident] = end_of(ident, began, measured.get(ident, task))
        task_type = clean_task_type(task.name or ident)
        if sum(map(len, inputs)) > MAX_EDGES:
            raise BadRecording(f"Task {ident!r} has {len(inputs)} parents: more than one record can name.")
        key = keys.stamp(ident, task_type, group, inputs)
        name = task.name or ident
        steps.append(Step(ident, name, task_type, key, inputs, gate, began, ends[ident], measured.get(ident, task)))
    return steps


def _records(file: WfFile, steps: list[Step], scribe: Scribe) -> Iterator[NewRecord]:
    start = started_at(file)
    makespan = makespan_of(file.workflow, start)
    yield scribe.write(
        "run.started",
        start,
        "run",
        data={
            "name": file.name,
            "workflow": clean_task_type(file.name.removesuffix(".json") or "workflow"),
            "trigger": "import",
        },
        agent_id=ORIGIN,
        number=0,
    )
    yield from _told(steps, group_of(file), scribe)
    # The run's own length was measured, and is longer than what the graph explains: the rest was waiting.
    last = max(step.ended_at for step in steps)
    ended = last if makespan is None else max(last, start + makespan)
    yield scribe.write(
        "run.completed",
        ended,
        "run",
        agent_id=ORIGIN,
        number=3 * len(steps) + 1,
        causation=scribe.id_of("run", "run.started"),
        derived=makespan is None or ended > start + makespan,
    )


def _told(steps: list[Step], group: str, scribe: Scribe) -> Iterator[NewRecord]:
    """The events of all tasks in the order of time; at one instant, those a task waited for come first."""
    moments = [(step.started_at, place, 0) for place, step in enumerate(steps)]
    moments += [(step.ended_at, place, 1) for place, step in enumerate(steps)]
    number = 0
    for _, place, ended in sorted(moments):
        for record in (_ending if ended else _beginning)(steps[place], group, scribe, number):
            yield record
            number += 1


def _beginning(step: Step, group: str, scribe: Scribe, number: int) -> Iterator[NewRecord]:
    # The last input to arrive is what allowed the task to begin, as far as a recording without starts can tell.
    caused = scribe.id_of("run", "run.started")
    yield scribe.write(
        "task.requested",
        step.started_at,
        step.task_id,
        derived=True,
        number=number + 1,
        causation=scribe.id_of(step.gate, "task.completed") if step.gate else caused,
        data={
            "task_type": step.task_type,
            "title": step.name[:MAX_TITLE],
            "depends_on": step.inputs,
            "input": fitting(step.measured.command),
        },
        task_id=step.task_id,
        agent_id=ORIGIN,
        target_group=group,
        fold_key=step.fold_key,
        idempotency_key=step.task_id,
    )
    yield scribe.write(
        "task.started",
        step.started_at,
        step.task_id,
        derived=True,
        number=number + 2,
        causation=scribe.id_of(step.task_id, "task.requested"),
        task_id=step.task_id,
        attempt=1,
        agent_id=_worker(step.measured, group),
        agent_group=group,
    )


def _ending(step: Step, group: str, scribe: Scribe, number: int) -> Iterator[NewRecord]:
    usage = {
        "cpu_percent": step.measured.avgCPU,
        "memory_bytes": step.measured.memoryInBytes,
        "read_bytes": step.measured.readBytes,
        "written_bytes": step.measured.writtenBytes,
    }
    measured = {name: value for name, value in usage.items() if value is not None}
    yield scribe.write(
        "task.completed",
        step.ended_at,
        step.task_id,
        derived=True,
        number=number + 1,
        causation=scribe.id_of(step.task_id, "task.started"),
        data={"output": measured or None},
        task_id=step.task_id,
        attempt=1,
        agent_id=_worker(step.measured, group),
        agent_group=group,
    )


def _worker(task: WfTask, group: str) -> str:
    """The machine a task ran on; where none was recorded, the workflow system stands for it."""
    return slug((task.machines or (task.machine or "",))[0], group)
