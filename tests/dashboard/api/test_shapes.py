"""What the API promises is what rows hold."""

import pytest
from pydantic import ValidationError

from dashboard.api.askshapes import DecisionBody
from dashboard.api.grouplist import group_row
from dashboard.api.recordshapes import GroupShape
from dashboard.api.rows import run_row, task_row
from dashboard.api.shapes import RunShape, TaskShape
from tests.dashboard.scenes import failed_task, group, run

pytestmark = pytest.mark.django_db


def test_rows_fit_the_shapes_they_are_documented_with() -> None:
    RunShape.model_validate(run_row(run()))
    TaskShape.model_validate(task_row(failed_task()))
    GroupShape.model_validate(group_row(group()))


def test_a_decision_is_one_of_four() -> None:
    for word in ("approve", "reject", "edit", "respond"):
        DecisionBody(decision=word, request_version=1, content_hash="x")
    with pytest.raises(ValidationError):
        DecisionBody(decision="maybe", request_version=1, content_hash="x")  # type: ignore[arg-type]
