"""The query line of approvals: the queue, what was decided, and every state the log knows."""

import pytest

from coordination.subjects import APPROVALS
from dashboard.api.askfilter import _COLUMNS, _VALUES, asks_in_state, decided_asks, names_a_state, open_asks
from dashboard.clock import database_now
from tests.dashboard.cast import SECOND, ask, say

pytestmark = pytest.mark.django_db


def test_every_key_has_a_meaning() -> None:
    assert set(_COLUMNS) | set(_VALUES) == set(APPROVALS.fields) | {""}


@pytest.fixture
def now() -> int:
    at = database_now()
    ask("a", title="Pay 12 EUR", risk="high", at=at - 7200 * SECOND)
    ask("b", title="Restart", risk="low", task="task-2", kind="question", at=at)
    ask("c", run="run-2", task="task-3", at=at)
    gone = {"approval_id": "c", "request_version": 1}
    say("approval.withdrawn", gone, run="run-2", task="task-3", at=at)
    return at + SECOND


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {"a", "b"}),
        ("risk:high", {"a"}),
        ("-risk:high", {"b"}),
        ("kind:question", {"b"}),
        ("action:pay run:run-1", {"a", "b"}),
        ("title:EUR", {"a"}),
        ("task:task-2", {"b"}),
        ("agent:payer", {"a", "b"}),
        ("instance:payer-*", {"a", "b"}),
        ("age>1h", {"a"}),
        ("restart", {"b"}),
        ("topic:coord.review.*", {"a", "b"}),
        ("by:lena", set()),
        ("due<1h", set()),
        ("caused-by:task-2", {"b"}),
        ("state:pending", {"a", "b"}),
        ("state:overdue", set()),
    ],
)
def test_a_line_filters_the_queue(now: int, line: str, expected: set[str]) -> None:
    assert {row["id"] for row in open_asks(line, now)} == expected


def test_a_line_that_names_a_state_is_asked_of_all(now: int) -> None:
    assert names_a_state("risk:high state:withdrawn")
    assert not names_a_state("-state:withdrawn")
    assert {row["id"] for row in asks_in_state("", "state:withdrawn,pending run:run-*", now, 9)} == {"a", "b", "c"}
    assert {row["id"] for row in asks_in_state("withdrawn", "", now, 9)} == {"c"}
    assert decided_asks("by:lena", now, 9) == []
