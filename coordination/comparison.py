"""Two runs side by side: what was added, removed, slower, or failed only here, and where the difference in time lies.

Tasks are matched by **path**, never by id: the types and agent groups from the root down along the parents, then
the place among its siblings (fan-out index, else a title that no sibling has, else the order of the requests). So
a step that was put in between parts nothing that lies beside it. A `Profile` is what is compared of a run; the
profile of several runs (`typical`) has their medians. The difference by delay part sums to the difference of the
wall times to the microsecond: of one run because its parts do, of medians because what they lack to the median of
the wall time is told as a part of its own, `UNSUMMED`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Final, Literal, NamedTuple

import msgspec

from coordination.criticalpath import CriticalPath
from coordination.delays import PHASES, begin_of, delays
from coordination.tasks import FAILING, TERMINAL, Task

# A step is slower (or faster) by a quarter, if that is also at least a hundredth of the run's time.
RATIO: Final = 1.25
SHARE: Final = 100
MAX_DEPTH: Final = 50
UNSUMMED: Final = "unsummed"
Path = tuple[str, ...]
Status = Literal["failed here", "added", "removed", "slower", "failed there", "faster", "same"]
STATUSES: Final[tuple[Status, ...]] = ("failed here", "added", "removed", "slower", "failed there", "faster", "same")


class Member(msgspec.Struct, frozen=True):
    """A task by its place in a step: `wall` µs from its request to its end, or until the picture's instant."""

    name: str
    task_id: str
    title: str
    state: str
    wall: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of one path. `typical` is their median wall time, `slowest` the longest,
    `first_after` when the first was asked for after the run's start (µs)."""

    path: Path
    task_type: str
    agent_group: str
    tasks: int
    failed: int
    counts: Mapping[str, int]
    typical: int
    slowest: int
    first_after: int
    members: Mapping[str, Member] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a run, or of several (`runs` > 1): wall time and its parts on the critical path in µs,
    steps by path, edges between steps."""

    wall: int
    parts: Mapping[str, int]
    steps: Mapping[Path, Step]
    edges: frozenset[tuple[Path, Path]]
    runs: int = 1


class PartChange(NamedTuple):
    """µs of one delay part in both; the changes of all parts sum to that of the wall time."""

    part: str
    before: int
    after: int

    @property
    def change(self) -> int:
        """µs; negative where it became shorter."""
        return self.after - self.before


class StepChange(NamedTuple):
    """A step in both runs, or in one of them."""

    path: Path
    status: Status
    before: Step | None
    after: Step | None

    @property
    def change(self) -> int:
        """µs by which the typical task became longer; 0 where there is none to compare it with."""
        return self.after.typical - self.before.typical if self.before and self.after else 0


class TaskChange(NamedTuple):
    """A task that differs: it failed in one of them only, or is in one of them only, or took longer."""

    path: Path
    name: str
    status: Status
    before: Member | None
    after: Member | None

    @property
    def change(self) -> int:
        """µs by which it became longer."""
        return self.after.wall - self.before.wall if self.before and self.after else 0


class Comparison(msgspec.Struct, frozen=True):
    """`after` against `before`: parts in the order of the phases, steps as first seen, edges with `in before` and
    `in after`, tasks worst first."""

    before: Profile
    after: Profile
    parts: tuple[PartChange, ...]
    steps: tuple[StepChange, ...]
    edges: Mapping[tuple[Path, Path], tuple[bool, bool]]
    tasks: tuple[TaskChange, ...]

    @property
    def change(self) -> int:
        """µs by which the run became longer."""
        return self.after.wall - self.before.wall


def profile(tasks: Iterable[Task], path: CriticalPath) -> Profile:
    """The profile of one run with its critical path; open tasks count until the path's end."""
    by_id = {task.task_id: task for task in tasks}
    paths = {task_id: _path(task, by_id) for task_id, task in by_id.items()}
    groups: dict[Path, list[Task]] = defaultdict(list)
    for task_id, task in by_id.items():
        groups[paths[task_id]].append(task)
    edges = set()
    for task_id, task in by_id.items():
        inputs = [paths[one] for one in task.depends_on if one in paths]
        if not inputs and task.parent_task_id in paths:
            inputs = [paths[task.parent_task_id]]
        edges |= {(source, paths[task_id]) for source in inputs if source != paths[task_id]}
    steps = {key: _step(key, members, path.start, path.end) for key, members in groups.items()}
    return Profile(wall=path.wall, parts=path.parts(), steps=steps, edges=frozenset(edges))


def typical(profiles: Sequence[Profile]) -> Profile:
    """The medians of several profiles (at least one). A step counts that at least half of them have."""
    if len(profiles) == 1:
        return profiles[0]
    wall = median_low(one.wall for one in profiles)
    parts = {phase: median_low(one.parts.get(phase, 0) for one in profiles) for phase in PHASES}
    rest = wall - sum(parts.values())
    known = Counter(path for one in profiles for path in one.steps)
    often = [path for path, count in known.items() if 2 * count >= len(profiles)]
    steps = {path: _median([one.steps[path] for one in profiles if path in one.steps]) for path in often}
    edges = Counter(edge for one in profiles for edge in one.edges)
    return Profile(
        wall=wall,
        parts={**{phase: length for phase, length in parts.items() if length}, **({UNSUMMED: rest} if rest else {})},
        steps=steps,
        edges=frozenset(edge for edge, count in edges.items() if 2 * count >= len(profiles)),
        runs=len(profiles),
    )


def compare(before: Profile, after: Profile) -> Comparison:
    """What is different in `after`."""
    parts = tuple(
        PartChange(part, before.parts.get(part, 0), after.parts.get(part, 0))
        for part in (*PHASES, UNSUMMED)
        if before.parts.get(part, 0) or after.parts.get(part, 0)
    )
    known = {**before.steps, **after.steps}
    order = sorted(known, key=lambda path: (known[path].first_after, path))
    least = max(before.wall, after.wall) // SHARE
    steps = tuple(_step_change(path, before.steps.get(path), after.steps.get(path), least) for path in order)
    tasks = [one for change in steps for one in _task_changes(change, least)] if before.runs == 1 else []
    edges = {edge: (edge in before.edges, edge in after.edges) for edge in before.edges | after.edges}
    worst = sorted(tasks, key=lambda one: (STATUSES.index(one.status), -one.change, one.path, one.name))
    return Comparison(before, after, parts, steps, edges, tuple(worst))


def _path(task: Task, by_id: Mapping[str, Task]) -> Path:
    found: list[str] = []
    seen: set[str] = set()
    here: Task | None = task
    while here is not None and here.task_id not in seen and len(found) < MAX_DEPTH:
        seen.add(here.task_id)
        found.append(f"{here.task_type or here.title or 'task'}@{here.agent_group}")
        here = by_id.get(here.parent_task_id)
    return tuple(reversed(found))


def _step(path: Path, tasks: Sequence[Task], start: int, until: int) -> Step:
    members = _named(tasks, until)
    walls = [member.wall for member in members.values()]
    return Step(
        path=path,
        task_type=tasks[0].task_type or tasks[0].title or "task",
        agent_group=tasks[0].agent_group,
        tasks=len(tasks),
        failed=sum(task.state in FAILING for task in tasks),
        counts=Counter(task.state for task in tasks),
        typical=median_low(walls),
        slowest=max(walls),
        first_after=min((begin_of(task) or start) - start for task in tasks),
        members=members,
    )


def _named(tasks: Sequence[Task], until: int) -> dict[str, Member]:
    """The tasks of a step by their place: fan-out index, else a title of its own, else the order of requests."""
    titles = Counter(task.title for task in tasks)
    places = Counter(task.fanout_index for task in tasks if task.fanout_index is not None)
    found: dict[str, Member] = {}
    for number, task in enumerate(sorted(tasks, key=lambda task: (task.requested_at or 0, task.task_id))):
        if task.fanout_index is not None and places[task.fanout_index] == 1:
            name = f"/{task.fanout_index}"
        elif task.title and titles[task.title] == 1:
            name = task.title
        else:
            name = f"#{number + 1}"
        if name in found:
            name = f"#{number + 1} {task.task_id}"
        title = task.title or task.task_type or task.task_id
        found[name] = Member(name, task.task_id, title, task.state, delays(task, until).wall)
    return found


def _median(steps: Sequence[Step]) -> Step:
    first = steps[0]
    tasks = median_low(step.tasks for step in steps)
    failed = median_low(step.failed for step in steps)
    return Step(
        path=first.path,
        task_type=first.task_type,
        agent_group=first.agent_group,
        tasks=tasks,
        failed=failed,
        counts={"completed": tasks - failed, "failed": failed} if failed else {"completed": tasks},
        typical=median_low(step.typical for step in steps),
        slowest=median_low(step.slowest for step in steps),
        first_after=median_low(step.first_after for step in steps),
    )


def _step_change(path: Path, before: Step | None, after: Step | None, least: int) -> StepChange:
    if before is None:
        status: Status = "failed here" if after and after.failed else "added"
    elif after is None:
        status = "removed"
    elif after.failed and not before.failed:
        status = "failed here"
    elif _longer(before.typical, after.typical, least):
        status = "slower"
    elif before.failed and not after.failed:
        status = "failed there"
    else:
        status = "faster" if _longer(after.typical, before.typical, least) else "same"
    return StepChange(path, status, before, after)


def _task_changes(change: StepChange, least: int) -> Iterable[TaskChange]:
    before = change.before.members if change.before else {}
    after = change.after.members if change.after else {}
    for name in {**before, **after}:
        status = _task_status(before.get(name), after.get(name), least)
        if status != "same":
            yield TaskChange(change.path, name, status, before.get(name), after.get(name))


def _task_status(before: Member | None, after: Member | None, least: int) -> Status:
    if after is None:
        return "removed"
    if after.state in FAILING and (before is None or before.state not in FAILING):
        return "failed here"
    if before is None:
        return "added"
    if before.state in FAILING and after.state in TERMINAL - FAILING:
        return "failed there"
    if _longer(before.wall, after.wall, least):
        return "slower"
    return "faster" if _longer(after.wall, before.wall, least) else "same"


def _longer(short: int, long: int, least: int) -> bool:
    return long >= RATIO * short and long - short >= max(1, least)
