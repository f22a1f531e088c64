"""Figures are kept with the commit they were taken at, and medians are medians."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import results

FIGURES = {"floor": {"cpu": 12.5, "rate": 20_000.0}, "sqlite": {"cpu": 40.0}}


def test_figures_are_kept_with_commit_and_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    told = json.loads(results.keep("ingest", FIGURES, events=100).read_text())
    assert told["figures"] == FIGURES
    assert told["how"] == {"events": 100}
    assert {"commit", "at", "cores", "load", "python"} <= told.keys()


def test_medians_are_taken_figure_by_figure() -> None:
    rounds = [{"a": 1.0, "b": 9.0}, {"a": 3.0, "b": 8.0}, {"a": 2.0, "b": 7.0}]
    assert results.medians(rounds) == {"a": 2.0, "b": 8.0}


def test_the_table_has_a_row_each_and_leaves_out_what_was_not_measured() -> None:
    head, floor, sqlite = results.table(FIGURES).splitlines()
    assert head.split() == ["cpu", "rate"]
    assert floor.split() == ["floor", "12.5", "2e+04"]
    assert sqlite.split() == ["sqlite", "40"]
