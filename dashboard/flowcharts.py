"""Figures of flow: what comes in against what is started, and the waiting tasks of all groups beside one another."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coordination.instants import rfc3339

TOP: Final = 10
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
TONES: Final = ("var(--fg)", "var(--accent)", "var(--fg-3)", "var(--human)", "var(--retrying)")


class FlowPoint(NamedTuple):
    """One step: tasks asked for and tasks started a minute, at an instant (µs)."""

    at: int
    arrived: float | None
    started: float | None


def flow_figure(points: Sequence[FlowPoint], *, begin: int, end: int) -> dict[str, Any]:
    """Arrival against drain, in tasks a minute, from begin to end (µs); `points` are the numbers for the table."""
    times = [rfc3339(point.at) for point in points]
    arrived = _line("asked for", times, [_one(point.arrived) for point in points], "var(--fg)", "solid")
    started = _line("started", times, [_one(point.started) for point in points], "var(--accent)", "dash")
    rows = [{"at": rfc3339(p.at), "asked_for": _one(p.arrived), "started": _one(p.started)} for p in points]
    layout = _layout("Tasks a minute", begin, end) | {"showlegend": True}
    return {"data": [arrived, started], "layout": layout, "points": rows, "columns": ["asked_for", "started"]}


def groups_figure(series: Mapping[str, Mapping[int, int | None]], *, begin: int, end: int) -> dict[str, Any]:
    """Waiting tasks of the TOP groups that had most, and of the rest together. `series` is group -> {µs: waiting}.

    A step at which nothing of a group is known is a hole in its line, not nought.
    """
    ranked = sorted(series, key=lambda name: (-max((n or 0 for n in series[name].values()), default=0), name))
    shown = {name: dict(series[name]) for name in ranked[:TOP]}
    rest = ranked[TOP:]
    if rest:
        shown[f"the other {len(rest)}"] = _sum([series[name] for name in rest])
    times = sorted({at for line in shown.values() for at in line})
    stamps = [rfc3339(at) for at in times]
    data = [
        _line(name, stamps, [line.get(at) for at in times], TONES[number % len(TONES)], DASHES[number // len(TONES)])
        for number, (name, line) in enumerate(shown.items())
    ]
    rows = [
        {"at": stamp, **{name: line.get(at) for name, line in shown.items()}}
        for stamp, at in zip(stamps, times, strict=True)
    ]
    layout = _layout("Waiting tasks", begin, end) | {"showlegend": True}
    return {"data": data, "layout": layout, "points": rows, "columns": list(shown)}


def _sum(lines: Sequence[Mapping[int, int | None]]) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    for line in lines:
        for at, waiting in line.items():
            known = found.get(at)
            found[at] = known if waiting is None else waiting + (known or 0)
    return found


def _one(rate: float | None) -> float | None:
    return None if rate is None else round(float(rate), 1)


def _line(name: str, times: Sequence[str], values: Sequence[float | None], tone: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(times),
        "y": list(values),
        "line": {"shape": "hv", "width": 1.5, "color": tone, "dash": dash},
        "hovertemplate": f"%{{y}} {name}<extra></extra>",
    }


def _layout(title: str, begin: int, end: int) -> dict[str, Any]:
    axis = {"gridcolor": "var(--line)", "zerolinecolor": "var(--line-2)", "rangemode": "tozero", "fixedrange": True}
    return {
        "margin": {"l": 56, "r": 24, "t": 28, "b": 32},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "var(--bg)", "bordercolor": "var(--accent)", "font": {"color": "var(--fg)"}},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "xaxis": {
            "range": [rfc3339(begin), rfc3339(end)],
            "gridcolor": "var(--line)",
            "fixedrange": True,
            "tickformat": "%H:%M",
            "hoverformat": "%H:%M:%S",
        },
        "yaxis": {**axis, "nticks": 6},
        "annotations": [
            {
                "text": title,
                "x": 0,
                "xref": "paper",
                "y": 1.02,
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"color": "var(--fg)", "size": 12, "weight": 600},
            }
        ],
    }
