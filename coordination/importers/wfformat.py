"""The files of WfCommons: WfFormat 1.1 to 1.5, read into one shape.

Up to 1.4 a task carries its run time itself, from 1.5 on specification and execution are apart; before 1.2 tasks
were called jobs. Edges are the union of what `parents` and `children` say, by id or by name. `executedAt` comes in
several date formats. What a recording leaves out is left out here too; what contradicts itself is a BadRecording.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import msgspec

from coordination.canonical import digest
from coordination.importers.recording import MAX_ID, BadRecording, slug
from coordination.instants import EARLIEST, LATEST, MICROSECONDS, micros

SHOWN_OF_A_CYCLE: Final = 8
# Seconds; nothing ran for longer than there are dates.
LONGEST: Final = (LATEST - EARLIEST) // MICROSECONDS
DATES: Final = ("%Y%m%dT%H%M%S%z", "%m-%d-%yT%H:%M:%S%z", "%m-%d-%YT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z")


class WfTask(msgspec.Struct):
    """A task of the specification, and up to WfFormat 1.4 of the execution too."""

    id: str = ""
    name: str = ""
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    runtimeInSeconds: float | None = None
    runtime: float | None = None
    machine: str | None = None
    machines: tuple[str, ...] = ()
    command: dict[str, Any] | None = None
    avgCPU: float | None = None
    memoryInBytes: float | None = None
    readBytes: float | None = None
    writtenBytes: float | None = None


class WfSpecification(msgspec.Struct):
    """The graph (1.5)."""

    tasks: list[WfTask] = []


class WfExecution(msgspec.Struct):
    """What was measured (1.5)."""

    tasks: list[WfTask] = []
    makespanInSeconds: float | None = None
    executedAt: str = ""


class WfWorkflow(msgspec.Struct):
    """The run, in the shapes of all versions."""

    specification: WfSpecification | None = None
    execution: WfExecution | None = None
    tasks: list[WfTask] = []
    jobs: list[WfTask] = []
    makespanInSeconds: float | None = None
    makespan: float | None = None
    executedAt: str = ""


class WfSystem(msgspec.Struct):
    """The workflow system that ran it."""

    name: str = ""


class WfFile(msgspec.Struct):
    """A recording; fields that are not used here are not read."""

    workflow: WfWorkflow
    name: str = ""
    createdAt: str = ""
    runtimeSystem: WfSystem | None = None
    wms: WfSystem | None = None


def parse(content: bytes) -> WfFile:
    """The file. Raises BadRecording."""
    try:
        return msgspec.json.decode(content, type=WfFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecording(f"This is no WfCommons file: {error}") from None


def tasks_of(workflow: WfWorkflow) -> tuple[dict[str, WfTask], dict[str, WfTask]]:
    """Specified and measured tasks by id; before 1.5 they are the same."""
    specification = workflow.specification or WfSpecification()
    specified = _by_id(specification.tasks or workflow.tasks or workflow.jobs)
    execution = workflow.execution or WfExecution()
    return specified, _by_id(execution.tasks) if execution.tasks else specified


def _by_id(tasks: list[WfTask]) -> dict[str, WfTask]:
    found: dict[str, WfTask] = {}
    for number, task in enumerate(tasks, start=1):
        ident = task.id or task.name
        if not ident:
            raise BadRecording(f"Task {number} has neither id nor name.")
        if len(ident) > MAX_ID or not ident.isprintable():
            ident = f"{slug(ident)}-{digest(ident)[:16]}"
        if ident in found:
            raise BadRecording(f"Two tasks have the id {ident!r}.")
        found[ident] = task
    return found


def edges_of(tasks: Mapping[str, WfTask]) -> dict[str, tuple[str, ...]]:
    """The parents of each task, sorted. A parent that is not in the file is kept: the edge was recorded."""
    ids = {task.id or task.name: ident for ident, task in tasks.items()}
    ids |= {task.name: ident for ident, task in tasks.items() if task.name and task.name not in ids}
    parents: dict[str, set[str]] = {ident: {ids.get(one, one) for one in task.parents} for ident, task in tasks.items()}
    for ident, task in tasks.items():
        for child in task.children:
            if ids.get(child) in parents:
                parents[ids[child]].add(ident)
    return {ident: tuple(sorted(found)) for ident, found in parents.items()}


def in_order(edges: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The tasks, each after all it depends on. Raises BadRecording naming the tasks that wait for each other."""
    try:
        return [ident for ident in TopologicalSorter(edges).static_order() if ident in edges]
    except CycleError as error:
        cycle = list(reversed(error.args[1]))
        shown = " → ".join([*cycle[:SHOWN_OF_A_CYCLE], *(["…"] if len(cycle) > SHOWN_OF_A_CYCLE else [])])
        raise BadRecording(f"These tasks wait for each other, so that none can start: {shown}.") from None


def runtime_of(ident: str, task: WfTask) -> int:
    """How long a task ran, in microseconds; 0 where it was not recorded. Raises BadRecording."""
    seconds = task.runtimeInSeconds if task.runtimeInSeconds is not None else task.runtime
    if seconds is None:
        return 0
    if not 0 <= seconds <= LONGEST:
        raise BadRecording(f"Task {ident!r} has the run time {seconds} s.")
    return round(seconds * MICROSECONDS)


def group_of(file: WfFile) -> str:
    """The workflow system, which stands for the agent group: who ran what was not recorded by type."""
    system = file.runtimeSystem or file.wms
    return slug(system.name if system else "", "workflow-system")


def started_at(file: WfFile) -> int:
    """When the run began; several date formats are in use, all of them with an offset or in UTC."""
    executed = file.workflow.execution.executedAt if file.workflow.execution else file.workflow.executedAt
    for text in (executed, file.createdAt):
        moment = _date(text)
        if moment is not None:
            return micros(moment)
    raise BadRecording(f"Neither executedAt ({executed!r}) nor createdAt ({file.createdAt!r}) is a date.")


def _date(text: str) -> datetime | None:
    moment = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for form in DATES:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 - every form in DATES has %z
                break
            except ValueError:
                continue
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def end_of(ident: str, began: int, task: WfTask) -> int:
    """When a task ended, in microseconds. Raises BadRecording."""
    ended = began + runtime_of(ident, task)
    if ended > LATEST:
        raise BadRecording(f"Task {ident!r} would end after the year 9999.")
    return ended


def makespan_of(workflow: WfWorkflow, began: int) -> int | None:
    """The run's measured length in microseconds, None where none was recorded that can be."""
    recorded = (
        workflow.execution.makespanInSeconds if workflow.execution else None,
        workflow.makespanInSeconds,
        workflow.makespan,
    )
    seconds = next((one for one in recorded if one is not None and 0 <= one <= (LATEST - began) / MICROSECONDS), None)
    return None if seconds is None else round(seconds * MICROSECONDS)
