"""The calls about agent groups."""

import pytest

from tests.dashboard.scenes import group, member, signed_in

pytestmark = pytest.mark.django_db


def test_groups_are_listed_with_their_partitions() -> None:
    group("payer")
    row = signed_in(member("eve", "view_groupsnapshot")).get("/api/v1/agents").json()["items"][0]
    names = {"group", "verdict", "waiting", "running", "age_seconds", "eta", "members", "partitions", "as_of"}
    assert names <= row.keys()
    assert {"topic", "partition", "state", "commit", "end", "waiting", "age_seconds"} <= row["partitions"][0].keys()


def test_one_group_by_its_name() -> None:
    group("payer")
    browser = signed_in(member("eve", "view_groupsnapshot"))
    assert browser.get("/api/v1/agents/payer").json()["verdict"]["state"] == "stuck"
    assert browser.get("/api/v1/agents/nix").status_code == 404


def test_agents_need_their_right() -> None:
    assert signed_in(member("eve", "view_run")).get("/api/v1/agents").status_code == 403
