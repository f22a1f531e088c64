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
