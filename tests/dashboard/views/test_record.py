"""The record page: envelope explained, payload for those who may, causes and effects."""

import pytest

from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import member, run, signed_in, viewer

pytestmark = pytest.mark.django_db
PATH = "/records/coord.run.task.events/4/3/"


def test_a_record_explains_its_envelope_and_its_causes() -> None:
    run()
    tried_twice().store()
    page = viewer().get(PATH).content.decode()
    assert "task.completed" in page
    assert "the event that directly triggered this one" in page
    assert "/records/coord.run.task.events/4/2/" in page
    assert "&quot;answer&quot;: 42" in page


def test_the_payload_needs_its_right() -> None:
    run()
    tried_twice().store()
    page = signed_in(member("eve", "view_run")).get(PATH).content.decode()
    assert "answer" not in page
    assert "no right to see what records carry" in page


def test_a_command_tells_its_fate() -> None:
    run()
    tried_twice().store()
    assert b"Unknown</b> for" in viewer().get("/records/coord.run.task.commands/4/0/").content


def test_a_record_that_was_never_read_says_so() -> None:
    answer = viewer().get("/records/coord.run.task.events/0/999/")
    assert answer.status_code == 404
    assert b"was not read, or has been pruned" in answer.content


def test_records_of_the_review_class_need_the_right_to_approvals() -> None:
    assert signed_in(member("eve", "view_run")).get("/records/coord.review.approval.events/0/0/").status_code == 403
