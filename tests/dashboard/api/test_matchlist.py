"""What of a picture fits a query line."""

import pytest

from dashboard.api.graphscene import scene_of
from dashboard.api.matchlist import fan_outs_with, folds_with, match_page
from dashboard.api.tasklist import filtered
from tests.browser.runs import keep, random_graph, wide

pytestmark = pytest.mark.django_db
FAR = 2_000_000_000_000_000


def matched(line: str) -> dict[str, object]:
    return match_page("run-1", filtered("run-1", line, now=FAR))


def test_folds_tell_how_many_and_single_tasks_whether() -> None:
    keep(wide(60))
    found = matched("state:failed")
    assert found["total"] == 3
    nodes = dict(found["nodes"])  # type: ignore[call-overload]
    assert sorted(nodes.values()) == [1, 1, 1, 3]
    assert {"task:b0000", "task:b0001", "task:b0002"} < set(nodes)


def test_tests_of_bodies_count_the_same() -> None:
    keep(wide(60))
    assert matched("ran>=0s state:failed") == matched("state:failed")


def test_every_box_that_is_named_is_drawn() -> None:
    keep(random_graph(400))
    nodes = set(matched("type:kind-3")["nodes"])  # type: ignore[call-overload]
    assert nodes
    drawn = scene_of("run-1").picture.nodes
    assert nodes <= {node.id for node in drawn} | {f"task:{one.task_id}" for node in drawn for one in node.tasks}


def test_folds_and_fan_outs_that_hold_one() -> None:
    keep(wide(60))
    found = filtered("run-1", "type:search", now=FAR)
    assert len(folds_with(found)) == 1
    assert fan_outs_with(found) == {"f"}
    assert fan_outs_with(filtered("run-1", "type:search ran<900h", now=FAR)) == {"f"}
