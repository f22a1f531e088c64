"""The query line of events and of agent groups."""

import pytest

from coordination.subjects import EVENTS, GROUPS
from dashboard.api.eventfilter import _EVENT, _GROUP, event_test, group_test
from dashboard.api.grouplist import group_rows
from tests.coordination.stories import Story
from tests.dashboard.scenes import NOW, group

STORY = Story()
REQUESTED = STORY.request("t-1", group="coder")
FAILED = STORY.say(
    "task.failed",
    task="t-1",
    agent_id="coder-1",
    agent_group="coder",
    attempt=3,
    causation_id="e-1",
    data={"error": {"type": "HTTPError", "message": "410 gone"}},
)


def test_every_key_has_a_meaning() -> None:
    assert set(_EVENT) == set(EVENTS.fields) | {""}
    assert set(_GROUP) == set(GROUPS.fields) | {""}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("event:task.failed", "f"),
        ("event:task.*", "rf"),
        ("-event:task.failed", "r"),
        ("agent:coder", "rf"),
        ("instance:coder-1", "f"),
        ("caused-by:e-1", "f"),
        ("id:e-1", "r"),
        ("task:t-1 attempt>2", "f"),
        ("error:gone", "f"),
        ("410", "f"),
        ("topic:task.events", "f"),
        (f"offset:{FAILED.partition}@{FAILED.offset} topic:coord.run.task.events", "f"),
        ("age>1ms", "r"),
    ],
)
def test_a_line_filters_events(line: str, expected: str) -> None:
    test = event_test(line, FAILED.at + 500)
    assert test is not None
    assert "".join(name for name, event in (("r", REQUESTED), ("f", FAILED)) if test(event)) == expected


def test_an_empty_line_asks_for_nothing() -> None:
    assert event_test("  ", 0) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {"payer", "coder"}),
        ("state:stuck", {"payer"}),
        ("-state:stuck", {"coder"}),
        ("agent:co*", {"coder"}),
        ("waiting>10", {"payer"}),
        ("members<2", set()),
        ("age>1m", {"payer"}),
        ("instance:coder-2", {"coder"}),
        ("topic:task.commands", {"payer", "coder"}),
        ("started", {"payer", "coder"}),
    ],
)
def test_a_line_filters_groups(line: str, expected: set[str]) -> None:
    group("payer")
    group("coder", "idle", waiting=0, age_seconds=None)
    fits = group_test(line)
    assert {row["group"] for row in group_rows(NOW) if fits(row)} == expected
