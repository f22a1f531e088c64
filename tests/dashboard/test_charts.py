"""Figures: Plotly accepts them, every colour is a token, every number is in the table too."""

import json
import re
from typing import Any

import pytest
from plotly.graph_objects import Figure

from dashboard.charts import REACHES, LagPoint, TrendPoint, lag_figure, trend_figure, waterfall_figure
from tests.dashboard.scenes import MINUTE, NOW, SECOND

POINTS = [LagPoint(NOW + n * MINUTE, n, n * 40.0) for n in range(20)] + [LagPoint(NOW + 20 * MINUTE, None, None)]


def figure(limit: float | None = 120.0) -> dict[str, Any]:
    return lag_figure(POINTS, begin=NOW, end=NOW + 20 * MINUTE, limit_seconds=limit)


def test_plotly_accepts_the_figure() -> None:
    text = re.sub(r"var\(--[a-z0-9-]+\)", "#888888", json.dumps(figure()))
    found = json.loads(text)
    assert len(Figure(data=found["data"], layout=found["layout"]).data) == 2


def test_no_figure_has_a_colour_of_its_own() -> None:
    assert "#" not in json.dumps(figure())
    assert "rgb" not in json.dumps(figure())


def test_the_numbers_are_in_the_table_too() -> None:
    found = figure()
    assert [point["waiting"] for point in found["points"]] == found["data"][0]["y"]
    assert found["points"][-1]["waiting"] is None


def test_the_limit_is_drawn_once_ages_come_near_it() -> None:
    assert figure(120.0)["layout"]["shapes"][0]["y0"] == 120.0
    assert "shapes" not in figure(100_000.0)["layout"]
    assert "shapes" not in figure(None)["layout"]


@pytest.mark.parametrize(("oldest", "tick"), [(30.0, "10 s"), (700.0, "2 m"), (4_000.0, "20 m"), (40_000.0, "2 h")])
def test_ages_have_ticks_in_words(oldest: float, tick: str) -> None:
    found = lag_figure([LagPoint(NOW, 1, oldest)], begin=NOW, end=NOW + SECOND, limit_seconds=None)
    axis = found["layout"]["yaxis2"]
    assert any(text.endswith(tick[-1]) for text in axis["ticktext"])
    assert axis["tickvals"][-1] >= oldest * 0.7


def test_a_day_has_no_more_points_than_an_hour() -> None:
    assert all(span // step <= 240 for span, step in REACHES.values())


CHANGES = [("In broker", 2 * SECOND), ("Execution", -5 * SECOND)]


def test_a_waterfall_goes_from_one_time_to_the_other() -> None:
    found = waterfall_figure(10 * SECOND, CHANGES, 7 * SECOND)
    (trace,) = found["data"]
    assert trace["x"] == [10, 2, -5, 7]
    assert sum(trace["x"][:-1]) == trace["x"][-1]
    assert trace["text"] == ["10.0", "+2.0", "−5.0", "7.0"]
    assert [point["seconds"] for point in found["points"]] == trace["x"]


@pytest.mark.parametrize("measure", ["duration", "failures", "tokens", "cost"])
def test_a_trend_has_one_place_for_each_run_and_tokens_for_colours(measure: str) -> None:
    points = [TrendPoint(f"r{n}", f"r{n}", NOW, "failed" if n == 2 else "completed", n, n, n, n) for n in range(5)]
    found = trend_figure([*points, TrendPoint("live", "live", NOW, "working", None, 0, 0, 0)], measure)
    assert len(found["points"]) == len(found["data"][0]["x"]) == 6
    assert not re.search(r"#[0-9a-f]{3}|rgb", json.dumps(found))
    plain = json.loads(re.sub(r"var\(--[a-z0-9-]+\)", "#888888", json.dumps(found)))
    assert Figure(data=plain["data"], layout=plain["layout"]).data
