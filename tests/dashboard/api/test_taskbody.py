"""The body gives back the whole row."""

import pytest

from dashboard.api.taskbody import task_of
from dashboard.models import Task
from tests.dashboard.scenes import failed_task

pytestmark = pytest.mark.django_db


def test_a_task_comes_back_as_it_was_kept() -> None:
    row = failed_task(depends_on=("a",), input={"x": 1})
    assert task_of(Task.objects.get()) == row
