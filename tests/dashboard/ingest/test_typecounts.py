"""Types are counted as they are read: by version, also those nobody knows and those that could not be read."""

from datetime import UTC, datetime

import msgspec
import pytest

from coordination.encoding import new_event
from dashboard.ingest.typecounts import UNREADABLE, version_of
from dashboard.models import TypeCount

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("kind", "schema", "version"),
    [
        ("coordination.task.started", "", "1"),
        ("coordination.task.started.v2", "", "2"),
        ("coordination.task.started", "urn:lineside:task.started:1.3", "1.3"),
        ("x", "https://schemas.example.org/x/2.0.json", "2.0"),
        ("x", "https://schemas.example.org/x", "1"),
    ],
)
def test_the_version_is_what_is_stated_else_the_major_of_the_type(kind: str, schema: str, version: str) -> None:
    assert version_of(kind, schema) == version


def started(number: int, **given: str):
    made = new_event(
        "task.started", source="/x/agents/a/1", time=1_790_000_000_000_000, id=f"e-{number}", run_id="r", task_id="t",
        agent_id="a",
    )  # fmt: skip
    extra = tuple((name, text.encode()) for name, text in given.items())
    return msgspec.structs.replace(made, headers=(*made.headers, *extra))


def test_every_record_is_counted_whatever_became_of_it_and_repeats_are_not(tables: str, append, drain) -> None:
    stated = started(1, ce_dataschema="urn:lineside:task.started:1.1")
    broken = msgspec.structs.replace(started(2), value=b"{")
    nameless = msgspec.structs.replace(started(3), headers=())
    append([started(0), stated, started(0), broken, nameless])
    assert drain()
    append([started(4)])
    assert drain()
    found = {(row.type, row.version): (row.records, row.rejected) for row in TypeCount.objects.all()}
    kind = "coordination.task.started"
    assert found == {(kind, "1"): (2, 1), (kind, "1.1"): (1, 0), (UNREADABLE, "1"): (0, 1)}
    assert datetime.now(UTC).timestamp() * 1e6 - TypeCount.objects.first().last_at < 6e8  # type: ignore[union-attr]
