"""Tasks with very many inputs: the picture is the same as if each input were looked up, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboard.api import longinputs
from dashboard.api.graphpage import graph_page
from tests.browser.runs import keep
from tests.coordination.graphs import Run as Story
from tests.coordination.graphs import fanned


def mixed() -> Story:
    """A task that follows twenty of one kind, three of another, one fan-out and a task nobody asked for."""
    story = fanned(9)
    for index in range(20):
        story.ask(f"r{index:02}", "read")
    for index in range(3):
        story.ask(f"w{index}", "weigh", needs=["r00"])
    names = [*(f"r{one:02}" for one in range(20)), *(f"w{one}" for one in range(3)), "b0001", "b0002", "never"]
    story.ask("all", "sum up", needs=names)
    return story


@pytest.mark.parametrize("story", [mixed, lambda: fanned(12)], ids=["mixed", "join"])
def test_a_shortened_list_draws_the_same_picture(
    tables: Any, monkeypatch: pytest.MonkeyPatch, story: Callable[[], Story]
) -> None:
    longinputs.forget()
    keep(story(), "run-1")
    plain = graph_page("run-1")
    assert plain["edges"]
    monkeypatch.setattr(longinputs, "LONG", 1)
    asked: list[Any] = []
    real = longinputs._counted
    monkeypatch.setattr(longinputs, "_counted", lambda *given: asked.append(given) or real(*given))
    assert graph_page("run-1") == plain
    assert asked
    first = len(asked)
    assert graph_page("run-1") == plain
    unknown = [given for given in asked[first:] if "never" not in given[1]]
    assert unknown == [], "what is complete is counted once"
    longinputs.forget()
