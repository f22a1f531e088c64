"""A run as an XES file, over the API."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import member, run, signed_in, task

pytestmark = pytest.mark.django_db


def test_a_run_is_a_file_of_its_events() -> None:
    run()
    task("task-1", task_type="research")
    log = tried_twice()
    log.store()
    answer = signed_in(member("ana", "view_run", "replay_run")).get("/api/v1/runs/run-1/xes")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="run-1.xes"'
    root = ElementTree.fromstring(answer.content)
    assert len(list(root.iter("{http://www.xes-standard.org/}event"))) == len(log.records)
    assert b"answer" not in answer.content


def test_exporting_needs_the_right_to_export_runs() -> None:
    run()
    assert signed_in(member("eve", "view_run")).get("/api/v1/runs/run-1/xes").status_code == 403
