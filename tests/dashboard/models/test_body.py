"""The body of a task is text to everybody, and small on disk."""

import msgspec
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from coordination.tasks import Attempt
from coordination.tasks import Task as Row
from dashboard.models import Task
from dashboard.models.body import VERSION, pack_body, unpack_body

ROW = Row(
    run_id="0199f3c2-0000-7000-8000-000000000001",
    task_id="0199f3c2-0000-7000-8000-000000000002",
    state="completed",
    shard="12-4",
    title="look into it",
    attempts=(Attempt(number=1, agent_id="coder-1", started_at=1_790_000_000_000_000, outcome="completed"),),
)

FIRST_RELEASE = "0128b52ffd204add0000287b727d5d7d0600e8e40ea1e50cd40900d905063ac07c5237c106"


@given(st.binary())
def test_what_is_packed_comes_out_unchanged(content):
    assert unpack_body(pack_body(content)) == content


def test_plain_text_is_read_as_it_is():
    assert unpack_body(b'{"a":1}') == b'{"a":1}'
    assert unpack_body(b"") == b""


def test_a_task_is_packed_to_less_than_half():
    content = msgspec.json.encode(ROW)
    assert pack_body(content)[:1] == VERSION
    assert len(pack_body(content)) < len(content) / 2


def test_what_was_written_once_must_be_readable_for_ever():
    """Made by the first release; if this fails, the dictionary was changed without a new version."""
    stored = bytes.fromhex(FIRST_RELEASE)
    assert unpack_body(stored) == b'{"run_id":"r","task_id":"t","state":"completed","attempts":[{"number":1}]}'


@pytest.mark.django_db
@pytest.mark.parametrize("packed", [True, False])
def test_the_field_is_text_in_python_however_it_was_stored(packed):
    content = msgspec.json.encode(ROW)
    Task.objects.create(run_id="r", task_id="t", shard="12-0", state="completed", revision=1, body=content.decode())
    if packed:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE dashboard_task SET body = %s", [pack_body(content)])
    assert Task.objects.get().body == content.decode()
    assert Task.objects.values_list("body", flat=True).get() == content.decode()
    assert msgspec.json.decode(Task.objects.get().body, type=Row) == ROW
