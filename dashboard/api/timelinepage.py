"""The timeline of a run as JSON: rows by agent group, folded like the graph, the critical path, the lag below.

Instants are milliseconds since the run's start, so that bars need no parsing. A row of a task has its phases,
attempt by attempt; a row of a fold has columns of how many members were at work. The work is bounded: the graph's
queries, one for the times of all folds, two for the lag.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from coordination.delays import Span, begin_of, delays
from coordination.graph import Node
from coordination.lag import words
from coordination.tasks import FAILING, OPEN
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import task_address
from dashboard.api.delaypage import RunTimes, times_of
from dashboard.api.density import WAIT_SHARE, Crowd, Grid, busy, columns, crowds, cuts
from dashboard.api.errorline import error_line
from dashboard.api.graphpage import node_parts, surfaced_row
from dashboard.api.graphscene import RunScene, scene_of
from dashboard.api.instants import iso
from dashboard.api.lanes import lanes
from dashboard.api.phases import millis
from dashboard.api.signs import sign_of_state
from dashboard.models import Run

# The critical path is drawn for runs of up to so many tasks, because a live run asks for it every few seconds.
DRAWN: Final = 5_000
Row = dict[str, Any]


def timeline_page(run: Run, now: int) -> Row:
    """The timeline of a run until its end, or until now (µs)."""
    scene = scene_of(run.run_id)
    nodes = [node for node in scene.picture.nodes if node.kind != "join"]
    begins = [begin for node in nodes for task in node.tasks if (begin := begin_of(task)) is not None]
    start = min([run.first_at or now, run.started_at or now, *begins])
    until = max(start + 1, now if run.ended_at is None else run.ended_at)
    grid = Grid(start, until)
    folded = {node.fold_key for node in nodes if node.kind == "fold"}
    homes = {key: home for key, home in scene.picture.homes.items() if home in folded}
    crowd = crowds(run.run_id, grid, homes)
    tasks = [task for node in nodes for task in node.tasks]
    gaps = _gaps(start, until, tasks, _busy(grid, crowd.values(), until))
    times = times_of(run, now, DRAWN)
    view = _View(run.run_id, start, until, scene, gaps, crowd)
    return {
        "start": iso(start),
        "now": iso(until),
        "over": run.ended_at is not None,
        "span_ms": millis(until - start),
        "cuts": [[millis(low - start), millis(high - start)] for low, high in gaps],
        "rows": [row for node in _by_group(nodes) for row in view.rows(node)],
        "path": _path(times, scene, start) if times else [],
        "lanes": lanes({node.agent_group for node in nodes if node.agent_group}, start, until),
        "derived": run.derived_times,
        "revision": scene.revision,
    }


class _View:
    """One run's rows: what they all need to know."""

    def __init__(
        self,
        run_id: str,
        start: int,
        until: int,
        scene: RunScene,
        gaps: Sequence[tuple[int, int]],
        crowd: Mapping[str, Crowd],
    ) -> None:
        self.run_id, self.start, self.until, self.scene, self.gaps, self.crowd = (
            run_id,
            start,
            until,
            scene,
            gaps,
            crowd,
        )
        self.grid = Grid(start, until)

    def rows(self, node: Node) -> list[Row]:
        """The row of a node, and below a fold those of its surfaced members."""
        parts = node_parts(self.run_id, node, self.scene)
        row = {
            "id": node.id,
            "kind": node.kind,
            "group": node.agent_group,
            "label": node.label,
            "tally": parts["tally"].replace(" ", "") if node.kind == "fold" else "",
            "sign": parts["sign"],
            "url": parts["url"],
        }
        if node.kind == "task":
            return [row | self._task(node.tasks[0])]
        return [row | self._fold(node), *(self._member(node, task) for task in node.tasks)]

    def _member(self, node: Node, task: TaskRow) -> Row:
        member = surfaced_row(self.run_id, task, self.scene.dead)
        row = {"id": f"task:{task.task_id}", "kind": "member", "group": node.agent_group, "tally": ""}
        return row | {"label": member["label"], "sign": member["sign"], "url": member["url"]} | self._task(task)

    def _task(self, task: TaskRow) -> Row:
        found = delays(task, self.until)
        dead = task.task_id in self.scene.dead
        note = error_line(task.error.type, task.error.message) if task.error and task.state in FAILING else ""
        return {
            "spans": [self._span(task, span) for span in found.spans],
            "ended_ms": None if task.state in OPEN else millis(found.end - self.start),
            "mark": sign_of_state(task.state, dead=dead)["sign"] if task.state in FAILING else "",
            "note": note,
            "took": words(found.wall),
            "url": task_address(self.run_id, task.task_id),
        }

    def _span(self, task: TaskRow, span: Span) -> Row:
        return {
            "part": span.phase,
            "from": millis(span.start - self.start),
            "to": millis(span.end - self.start),
            "attempt": span.attempt,
            **(_tried(task, span.attempt) if span.phase == "execution" else {}),
        }

    def _fold(self, node: Node) -> Row:
        crowd = self.crowd.get(node.fold_key) or Crowd()
        made = columns(self.grid, crowd, self.gaps, self.until)
        most = max((sum(count for _, count in column["segments"]) for column in made), default=0)
        begun = crowd.begun if crowd.begun is not None else self.until
        waited = crowd.asked is not None and begun > crowd.asked
        return {
            "columns": [
                [millis(one["start"] - self.start), millis(one["end"] - self.start), one["segments"]] for one in made
            ],
            "most": most,
            "waited": [millis((crowd.asked or 0) - self.start), millis(begun - self.start)] if waited else None,
            "slowest": words(crowd.slowest) if crowd.slowest else "",
            "note": f"{most:,} at once, slowest {words(crowd.slowest)}" if crowd.slowest else "",
        }


def _tried(task: TaskRow, number: int) -> dict[str, Any]:
    """The sign of an execution: of its attempt if that failed, else of the task; earlier attempts are faint."""
    attempt = next((one for one in reversed(task.attempts) if one.number == number), None)
    failed = attempt is not None and attempt.outcome not in ("", "completed", "canceled")
    last = number >= max((one.number for one in task.attempts), default=0)
    sign = "failed" if failed else "running" if task.state in OPEN and last else sign_of_state(task.state)["sign"]
    sign = "done" if sign not in ("failed", "running", "done", "canceled") else sign
    return {"sign": sign, "earlier": not last, "failed": failed}


def _gaps(
    start: int, until: int, tasks: Sequence[TaskRow], crowds_busy: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """What is cut out of the axis: stretches in which nothing was open, and the long ones in which only people were
    waited for. A task that asked for others waits for them, so it does not count as work then."""
    found = [delays(task, until) for task in tasks]
    parents = {task.parent_task_id for task in tasks}
    working = [
        (span.start, span.end)
        for one in found
        if one.task_id not in parents
        for span in one.spans
        if span.phase not in ("human_review", "unattributed")
    ]
    idle = cuts(start, until, [*((one.start, one.end) for one in found), *crowds_busy])
    waits = cuts(start, until, [*working, *crowds_busy], WAIT_SHARE) if working else []
    return sorted([*idle, *(gap for gap in waits if not any(gap[0] <= one[0] < gap[1] for one in idle))])


def _busy(grid: Grid, folds: Iterable[Crowd], until: int) -> list[tuple[int, int]]:
    found = []
    for one in folds:
        found += busy(grid, one.stays, until)
        if one.asked is not None:
            found.append((one.asked, one.begun if one.begun is not None else until))
    return found


def _by_group(nodes: Sequence[Node]) -> list[Node]:
    """Nodes with those of one agent group together, groups and nodes as they were first seen."""
    first: dict[str, int] = {}
    for place, node in enumerate(nodes):
        first.setdefault(node.agent_group, place)
    return sorted(nodes, key=lambda node: first[node.agent_group])


def _path(times: RunTimes, scene: RunScene, start: int) -> list[dict[str, Any]]:
    """The critical path as stretches of rows: one for each task it stays in, in time order."""
    drawn = {node.id for node in scene.picture.nodes} | {
        f"task:{task.task_id}" for node in scene.picture.nodes for task in node.tasks
    }
    found: list[dict[str, Any]] = []
    for one in times.path.stretches:
        task = times.tasks.get(one.task_id)
        home = scene.picture.homes.get(task.fold_key, "") if task else ""
        row = next((name for name in (f"task:{one.task_id}", f"fold:{home}") if name in drawn), "")
        if found and found[-1]["row"] == row:
            found[-1]["to"] = millis(one.end - start)
        else:
            found.append({"row": row, "from": millis(one.start - start), "to": millis(one.end - start)})
    return [one for one in found if one["row"]]
