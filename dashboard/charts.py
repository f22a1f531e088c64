"""Figures for Plotly, built here and drawn by one script: plain JSON, colours as names of tokens.

Every figure has a table of the same numbers beside it on its page. Instants in figures are RFC 3339 UTC.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from coordination.instants import rfc3339

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
MILLISECOND: Final = 1_000
UNITS: Final = ((60 * MINUTE, "h"), (MINUTE, "min"), (SECOND, "s"), (MILLISECOND, "ms"))
# Reach of a chart -> (µs, µs of one step): at most about 240 points, so that a day costs what a quarter does.
REACHES: Final[dict[str, tuple[int, int]]] = {
    "15m": (15 * MINUTE, 5 * SECOND),
    "1h": (60 * MINUTE, 15 * SECOND),
    "6h": (360 * MINUTE, 2 * MINUTE),
    "24h": (1440 * MINUTE, 6 * MINUTE),
}


HATCH: Final = {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": "var(--waiting)", "bgcolor": "var(--bg-3)"}


class TrendPoint(NamedTuple):
    """One run in the trend of its workflow: `at` µs, `seconds` None while it runs, `cost` in units of currency."""

    run_id: str
    name: str
    at: int
    state: str
    seconds: float | None
    failures: int
    tokens: int
    cost: float


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
        "text": text,
        "x": 0,
        "xref": "paper",
        "y": y,
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "var(--fg)", "size": 12, "weight": 600},
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


def waterfall_figure(before: int, changes: Sequence[tuple[str, int]], after: int) -> dict[str, Any]:
    """From one wall time to another (µs) by the parts in which it changed; the changes must sum to the difference.

    `points` are the same numbers for the table, in seconds.
    """
    unit, word = _unit(max(before, after))
    values = [before, *(change for _, change in changes), after]
    labels = ["Before", *(label for label, _ in changes), "This run"]
    measures = ["absolute", *("relative" for _ in changes), "total"]
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "measure": measures,
        "y": labels,
        "x": [value / unit for value in values],
        "text": [_signed(value / unit, measure) for value, measure in zip(values, measures, strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "connector": {"line": {"color": "var(--line-2)", "width": 1}},
        "increasing": {"marker": {"color": "var(--failed)"}},
        "decreasing": {"marker": {"color": "var(--done)"}},
        "totals": {"marker": {"color": "var(--fg-3)"}},
        "hovertemplate": f"%{{y}}: %{{text}} {word}<extra></extra>",
    }
    plain = _plain(word)
    # Lying down, because the names of parts are long; labels of the longest bars need room at the right.
    axes = {
        "xaxis": plain["yaxis"] | {"nticks": 6, "automargin": True},
        "yaxis": plain["xaxis"] | {"autorange": "reversed"},
    }
    margin = {"margin": {"l": 8, "r": 56, "t": 8, "b": 36}}
    return {
        "data": [trace],
        "layout": {**plain, **axes, **margin, "waterfallgap": 0.35},
        "points": [
            {"label": label, "measure": measure, "seconds": value / SECOND}
            for label, measure, value in zip(labels, measures, values, strict=True)
        ],
    }


def _unit(most: int) -> tuple[int, str]:
    """The unit (µs) in which values up to `most` µs are told, and its word."""
    return next(((unit, word) for unit, word in UNITS if most >= 3 * unit), (MILLISECOND, "ms"))


def _signed(value: float, measure: str) -> str:
    sign = "+" if measure == "relative" and value > 0 else ""
    return f"{sign}{value:,.1f}".replace("-", "−")


def _plain(word: str) -> dict[str, Any]:
    """The layout that simple charts share: a value axis in `word`, no legend."""
    return {
        "margin": {"l": 56, "r": 16, "t": 24, "b": 40},
        "showlegend": False,
        "hoverlabel": {"bgcolor": "var(--bg)", "bordercolor": "var(--accent)", "font": {"color": "var(--fg)"}},
        "xaxis": {"fixedrange": True, "automargin": True, "tickfont": {"color": "var(--fg-2)"}},
        "yaxis": {
            "gridcolor": "var(--line)",
            "zerolinecolor": "var(--line-2)",
            "fixedrange": True,
            "rangemode": "tozero",
            "title": {"text": word},
        },
    }


STATE_TOKENS: Final = {"completed": "var(--done)", "failed": "var(--failed)", "canceled": "var(--waiting)"}
STATE_SYMBOLS: Final = {"completed": "circle", "failed": "x", "canceled": "line-ns-open"}
TREND_WORDS: Final = {"failures": "failed tasks", "tokens": "tokens", "cost": "cost"}


def trend_figure(points: Sequence[TrendPoint], measure: str) -> dict[str, Any]:
    """One measure (`duration`, `failures`, `tokens`, `cost`) of a workflow's runs, oldest first, one place a run.

    Durations have a symbol for each state and a line of medians over nine runs; the others are bars.
    """
    places = list(range(1, len(points) + 1))
    if measure == "duration":
        longest = max((point.seconds or 0 for point in points), default=0)
        unit, word = _unit(int(longest * SECOND))
        values = [None if point.seconds is None else point.seconds * SECOND / unit for point in points]
        data = [_marks(points, places, values, word), _medians(places, values)]
    else:
        word = TREND_WORDS[measure]
        values = [float(getattr(point, measure)) for point in points]
        data = [_bars(points, places, values, word)]
    layout = _plain(word)
    if measure in ("failures", "tokens"):
        layout["yaxis"] |= {"tickformat": ",d", "dtick": 1} if max(_known(values), default=0) < 5 else {"nticks": 4}
    layout["xaxis"] |= {"showticklabels": False, "range": [0.4, len(points) + 0.6], "gridcolor": "var(--line)"}
    layout |= {"bargap": 0.25, "hovermode": "closest", "margin": {"l": 56, "r": 16, "t": 8, "b": 12}}
    told = [{"run": point.name, "value": value} for point, value in zip(points, values, strict=True)]
    return {"data": data, "layout": layout, "points": told}


def _marks(points: Sequence[TrendPoint], places: list[int], values: list[float | None], word: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": places,
        "y": values,
        "customdata": [[point.name, point.state, point.run_id] for point in points],
        "marker": {
            "size": 9,
            "color": [STATE_TOKENS.get(point.state, "var(--running)") for point in points],
            "symbol": [STATE_SYMBOLS.get(point.state, "triangle-right") for point in points],
        },
        "hovertemplate": f"%{{customdata[0]}}, %{{customdata[1]}}<br>%{{y:.2f}} {word}<extra></extra>",
    }


def _medians(places: list[int], values: list[float | None]) -> dict[str, Any]:
    line = []
    for place in range(len(values)):
        near = [value for value in values[max(0, place - 4) : place + 5] if value is not None]
        line.append(median(near) if near else None)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": places,
        "y": line,
        "line": {"color": "var(--fg-3)", "width": 1.5, "shape": "spline"},
        "hoverinfo": "skip",
    }


def _bars(points: Sequence[TrendPoint], places: list[int], values: Sequence[float | None], word: str) -> dict[str, Any]:
    colour = "var(--failed)" if word == TREND_WORDS["failures"] else "var(--fg-3)"
    return {
        "type": "bar",
        "x": places,
        "y": list(values),
        "customdata": [[point.name, point.state, point.run_id] for point in points],
        "marker": {"color": colour},
        "hovertemplate": f"%{{customdata[0]}}, %{{customdata[1]}}<br>%{{y:,.6~g}} {word}<extra></extra>",
    }


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
