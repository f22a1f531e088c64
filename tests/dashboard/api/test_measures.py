"""The calls that measure a run."""

import pytest

from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import member, run, signed_in

pytestmark = pytest.mark.django_db


def test_delays_and_positions_of_a_run_are_readable() -> None:
    run(events=7)
    tried_twice().store()
    browser = signed_in(member("eve", "view_run"))
    assert {"wall_ms", "parts", "critical_path", "unattributed_ms"} <= browser.get(
        "/api/v1/runs/run-1/delays"
    ).json().keys()
    assert browser.get("/api/v1/runs/run-1/positions").json()["items"]


@pytest.mark.parametrize("path", ["delays", "positions"])
def test_an_unknown_run_is_not_found(path: str) -> None:
    assert signed_in(member("eve", "view_run")).get(f"/api/v1/runs/nix/{path}").status_code == 404
