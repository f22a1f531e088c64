"""Figures for Plotly, built here and drawn by one script: plain JSON, colours as names of tokens.

Every figure has a table of the same numbers beside it on its page. Instants in figures are RFC 3339 UTC.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from coordination.instants import rfc3339

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
# Reach of a chart -> (µs, µs of one step): at most about 240 points, so that a day costs what a quarter does.
REACHES: Final[dict[str, tuple[int, int]]] = {
    "15m": (15 * MINUTE, 5 * SECOND),
    "1h": (60 * MINUTE, 15 * SECOND),
    "6h": (360 * MINUTE, 2 * MINUTE),
    "24h": (1440 * MINUTE, 6 * MINUTE),
}


HATCH: Final = {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": "var(--waiting)", "bgcolor": "var(--bg-3)"}


class LagPoint(NamedTuple):
    """One step of a group's history: waiting tasks (None: unknown) and the age of the oldest in seconds."""

    at: int
    waiting: int | None
    age_seconds: float | None


def lag_figure(points: Sequence[LagPoint], *, begin: int, end: int, limit_seconds: float | None) -> dict[str, Any]:
    """Waiting tasks as steps over the age of the oldest, on one time axis from begin to end (µs).

    `points` beside data and layout are the same numbers for the table.
    """
    times = [rfc3339(point.at) for point in points]
    waiting = {
        "type": "scatter",
        "mode": "lines",
        "name": "waiting tasks",
        "x": times,
        "y": [point.waiting for point in points],
        "line": {"shape": "hv", "width": 1.5, "color": "var(--fg)"},
        "fill": "tozeroy",
        "fillcolor": "var(--bg-3)",
        "fillpattern": HATCH,
        "hovertemplate": "%{y} waiting<extra></extra>",
    }
    age = {
        "type": "scatter",
        "mode": "lines",
        "name": "age of the oldest",
        "x": times,
        "y": [point.age_seconds for point in points],
        "yaxis": "y2",
        "line": {"width": 1.5, "color": "var(--fg)"},
        "fill": "tozeroy",
        "fillcolor": "var(--bg-3)",
        "hovertemplate": "%{y:.0f} s old<extra></extra>",
    }
    return {
        "data": [waiting, age],
        "layout": _lag_layout(begin, end, points, limit_seconds),
        "points": [
            {"at": rfc3339(point.at), "waiting": point.waiting, "age_seconds": point.age_seconds} for point in points
        ],
    }


def _lag_layout(begin: int, end: int, points: Sequence[LagPoint], limit: float | None) -> dict[str, Any]:
    axis = {"gridcolor": "var(--line)", "zerolinecolor": "var(--line-2)", "rangemode": "tozero", "fixedrange": True}
    oldest = max((point.age_seconds or 0 for point in points), default=0)
    layout: dict[str, Any] = {
        "margin": {"l": 56, "r": 24, "t": 28, "b": 32},
        "showlegend": False,
        "hovermode": "x",
        "hoverlabel": {"bgcolor": "var(--bg)", "bordercolor": "var(--accent)", "font": {"color": "var(--fg)"}},
        "xaxis": {
            "range": [rfc3339(begin), rfc3339(end)],
            "gridcolor": "var(--line)",
            "showspikes": True,
            "spikecolor": "var(--accent)",
            "spikethickness": 1.25,
            "spikedash": "solid",
            "spikemode": "across",
            "fixedrange": True,
            "tickformat": "%H:%M",
            "anchor": "y2",
            "hoverformat": "%H:%M:%S",
        },
        "yaxis": {**axis, "domain": [0.54, 1], "nticks": 5, "tickformat": "d"},
        "yaxis2": {**axis, "domain": [0, 0.44], "nticks": 4, **_age_ticks(oldest)},
        "annotations": [_heading("Waiting tasks", 1.0), _heading("Oldest, exact age", 0.44)],
    }
    if limit is not None and oldest > limit / 2:
        layout["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "yref": "y2",
                "y0": limit,
                "y1": limit,
                "line": {"color": "var(--failed)", "width": 1.25, "dash": "dash"},
            }
        ]
    return layout


def _heading(text: str, y: float) -> dict[str, Any]:
    return {
        "text": f"<b>{text}</b>",
        "x": 0,
        "xref": "paper",
        "y": y,
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "var(--fg)", "size": 12},
    }


def _age_ticks(oldest: float) -> dict[str, Any]:
    """Ticks in words: seconds, minutes or hours, whichever fits."""
    for step, unit, word in ((3600, 3600, "h"), (600, 60, "m"), (60, 60, "m"), (10, 1, "s")):
        if oldest >= 2 * step:
            count = int(oldest // step) + 1
            every = max(1, count // 4)
            ticks = [step * place for place in range(0, count + every, every)]
            return {"tickvals": ticks, "ticktext": [f"{tick // unit} {word}" if tick else "0" for tick in ticks]}
    return {"ticksuffix": " s", "nticks": 3}
