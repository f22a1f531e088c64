"""Agents: worst first, the chosen group below, unknown told as unknown."""

import pytest

from tests.dashboard.scenes import group, member, signed_in, viewer
from tests.dashboard.views.test_board import first

pytestmark = pytest.mark.django_db


def test_the_worst_group_is_opened_and_another_by_its_address() -> None:
    group("calm", "idle", waiting=0, age_seconds=0.0)
    group("payer", "stuck")
    client = viewer()
    assert first(client.get("/agents/").content, "first-chosen")["group"] == "payer"
    assert first(client.get("/agents/calm/").content, "first-chosen")["group"] == "calm"
    assert client.get("/agents/nix/").status_code == 404


def test_the_headline_says_what_is_unknown() -> None:
    group("payer")
    page = viewer().get("/agents/").content
    assert b"1 of 2 partitions unknown" in page


def test_without_groups_the_page_says_when_one_appears() -> None:
    assert b"No agent group yet" in viewer().get("/agents/").content


def test_agents_need_their_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/agents/").status_code == 403
