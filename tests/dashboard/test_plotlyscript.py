"""Plotly's script comes out of the installed package, as one static file."""

from pathlib import Path

from django.contrib.staticfiles import finders

from dashboard.plotlyscript import PlotlyFinder


def test_the_script_is_found():
    found = finders.find("plotly.min.js")
    assert Path(found).stat().st_size > 1_000_000
    assert PlotlyFinder().find("plotly.min.js", find_all=True) == [found]


def test_nothing_else_is_found_nor_listed():
    finder = PlotlyFinder()
    assert finder.find("datasets/x.csv") is None
    assert finder.find("../plotly.min.js", find_all=True) == []
    assert [path for path, _ in finder.list([])] == ["plotly.min.js"]


def test_it_can_be_collected():
    ((path, storage),) = PlotlyFinder().list([])
    with storage.open(path) as file:
        assert b"plotly.js" in file.read(200)
