"""What the API promises of timelines and breakdowns; objects are open, as in `shapes`."""

from typing import Any

from dashboard.api.shapes import Open


class BreakdownShape(Open):
    """Where the time went. `parts` sum to `wall_ms`, which is null where nothing can be said."""

    wall_ms: float | None
    parts: dict[str, float]
    unattributed_ms: float | None
    rows: list[dict[str, Any]]


class TimelineShape(Open):
    """Rows over one time axis; instants are milliseconds since `start`, `cuts` are idle stretches of it."""

    start: str
    now: str
    span_ms: float
    cuts: list[tuple[float, float]]
    rows: list[dict[str, Any]]
    path: list[dict[str, Any]]
    lanes: list[dict[str, Any]]
    revision: int


class ComparisonShape(Open):
    """A run (`b`) against another one or the typical one (`a`); the changes of `parts` sum to `change_ms`."""

    a: dict[str, Any]
    b: dict[str, Any]
    change_ms: float
    parts: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    graph: dict[str, Any]


class WorkflowPage(Open):
    """Workflows, or the runs of one."""

    items: list[dict[str, Any]]
    next: str | None


class WorkflowShape(Open):
    """The last runs of a workflow, oldest first; `matrix` has a row for each step and a column for each run."""

    workflow: str
    runs: list[dict[str, Any]]
    figures: dict[str, Any]
    matrix: dict[str, Any]
