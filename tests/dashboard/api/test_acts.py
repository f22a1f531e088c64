"""Steering a task over the API: saved in the outbox, the same act once, refused with the reason."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Decision
from tests.dashboard.scenes import failed_task, member, run, signed_in, task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def act(name: str, *rights: str, task_id: str = "task-1") -> Any:
    browser = signed_in(member(f"eve-{name}-{len(rights)}", *rights))
    path = f"/api/v1/runs/run-1/tasks/{task_id}/acts"
    return browser.post(path, {"act": name, "reason": "by hand"}, content_type="application/json")


def test_a_cancellation_goes_to_the_outbox_once() -> None:
    run()
    task()
    answer = act("cancel", "view_run", "steer_run")
    assert (answer.status_code, answer.json()["act"]) == (202, "cancel")
    assert Decision.objects.get().kind == "cancel"


def test_an_act_that_makes_no_sense_is_refused_with_the_reason() -> None:
    run()
    failed_task()
    answer = act("cancel", "view_run", "steer_run")
    assert answer.status_code == 403
    assert "ended already" in answer.json()["detail"]
    assert Decision.objects.count() == 0


def test_steering_needs_the_right() -> None:
    run()
    task()
    assert act("cancel", "view_run").status_code == 403


def test_an_unknown_act_or_task_is_refused() -> None:
    run()
    task()
    assert act("explode", "steer_run").status_code == 422
    assert act("cancel", "steer_run", task_id="nix").status_code == 404
