"""The history of a group's lag, as a figure."""

import pytest

from dashboard.api.lagcall import lag_points
from dashboard.models import GroupSnapshot
from tests.dashboard.scenes import NOW, group, member, signed_in

pytestmark = pytest.mark.django_db
SECOND = 1_000_000


def test_each_step_has_the_worst_of_its_polls() -> None:
    for offset, waiting, age in ((0, 3, 100), (5, 9, 50), (20, 1, None)):
        taken_at = NOW + offset * SECOND
        GroupSnapshot.objects.create(group="agent.payer", taken_at=taken_at, waiting=waiting, age_ms=age)
    points = lag_points("agent.payer", NOW, 15 * SECOND)
    assert [(point.waiting, point.age_seconds) for point in points] == [(9, 0.1), (1, None)]


def test_the_figure_has_data_layout_and_the_numbers() -> None:
    group("payer")
    browser = signed_in(member("eve", "view_groupsnapshot"))
    figure = browser.get("/api/v1/agents/payer/history?reach=6h").json()
    assert {"data", "layout", "points"} == figure.keys()


def test_a_reach_or_group_that_is_not_there_is_refused() -> None:
    group("payer")
    browser = signed_in(member("eve", "view_groupsnapshot"))
    assert browser.get("/api/v1/agents/payer/history?reach=9y").status_code == 400
    assert browser.get("/api/v1/agents/nix/history").status_code == 404
