"""The tables of the past: asked by the same queries, out of the way of the live ones, thawed as they were frozen."""

import pytest

from dashboard.models import Run, Segment, Task
from dashboard.past.tables import Tables
from tests.dashboard.scenes import run, task

pytestmark = pytest.mark.django_db


def filled() -> Tables:
    tables = Tables()
    with tables.to_fill():
        task("then")
        run("run-1")
    return tables


def test_inside_questions_about_rows_go_there_and_all_others_stay() -> None:
    task("now")
    tables = filled()
    with tables.in_place():
        assert list(Task.objects.values_list("task_id", flat=True)) == ["then"]
        assert Run.objects.count() == 1
        assert Segment.objects.count() == 0
    assert list(Task.objects.values_list("task_id", flat=True)) == ["now"]
    assert Run.objects.count() == 0


def test_thawed_they_are_as_they_were_frozen() -> None:
    tables = filled()
    content = tables.frozen()
    with tables.to_fill():
        Task.objects.all().delete()
    tables.close()
    again = Tables(content)
    with again.in_place():
        assert Task.objects.get().task_id == "then"
    again.close()


def test_after_an_error_the_live_tables_answer() -> None:
    tables = filled()
    with pytest.raises(ZeroDivisionError), tables.in_place():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), tables.to_fill():
        raise ZeroDivisionError
    assert Task.objects.count() == 0
