"""Delays: the parts and the path both sum to the wall time, to the microsecond."""

from typing import Any

import pytest

from coordination.tasks import Attempt
from dashboard.api import delaylist
from dashboard.api.delaylist import delay_row
from dashboard.api.problems import Problem
from tests.dashboard.scenes import MINUTE, NOW, SECOND, run, task

pytestmark = pytest.mark.django_db


def done(task_id: str, asked: int, began: int, ended: int, **fields: Any) -> None:
    attempt = Attempt(
        number=1,
        accepted_at=NOW + asked + SECOND,
        started_at=NOW + began,
        ended_at=NOW + ended,
        outcome="completed",
    )
    task(
        task_id,
        state="completed",
        requested_at=NOW + asked,
        accepted_at=NOW + asked + SECOND,
        started_at=NOW + began,
        ended_at=NOW + ended,
        attempt=1,
        attempts=(attempt,),
        **fields,
    )


def test_parts_and_path_sum_to_the_wall_time() -> None:
    found = run(state="completed", ended_at=NOW + 3 * MINUTE)
    done("first", 0, 5 * SECOND, MINUTE)
    done("second", MINUTE, 70 * SECOND, 3 * MINUTE, depends_on=("first",))
    row = delay_row(found, NOW)
    assert row["wall_ms"] == 180_000.0
    assert sum(row["parts"].values()) == pytest.approx(row["wall_ms"], abs=1e-6)
    assert sum(stretch["ms"] for stretch in row["critical_path"]) == pytest.approx(row["wall_ms"], abs=1e-6)
    assert row["unattributed_ms"] == 0.0
    assert {stretch["task_id"] for stretch in row["critical_path"]} == {"first", "second"}
    assert row["without"]["in_broker"] > 0


def test_a_live_run_is_measured_until_now() -> None:
    found = run()
    task("t", started_at=NOW, attempts=(Attempt(number=1, started_at=NOW),), attempt=1)
    assert delay_row(found, NOW + MINUTE)["wall_ms"] == 60_000.0


def test_a_run_without_any_instant_has_no_delays() -> None:
    assert delay_row(run(started_at=None, first_at=None), NOW)["critical_path"] == []


def test_too_large_a_run_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delaylist, "MOST", 4)
    with pytest.raises(Problem, match="5 tasks"):
        delay_row(run(), NOW)
