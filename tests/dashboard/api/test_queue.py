"""The queue: what is open in the order it should be decided; what was decided leaves it at once."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.approvals import content_hash
from coordination.instants import moment
from dashboard import approvals
from dashboard.api.queue import decided_rows, open_count, open_rows, rows_of, urgency
from dashboard.clock import database_now
from dashboard.models import Request
from tests.dashboard.cast import PAY, ask, person

pytestmark = pytest.mark.django_db
MINUTE = 60_000_000


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def due(minutes: int) -> Any:
    return moment(database_now() + minutes * MINUTE)


def test_overdue_comes_first_then_risk_then_due_then_age() -> None:
    ask("low", risk="low", due_at=due(5))
    ask("high-late", risk="high", due_at=due(60))
    ask("high-soon", risk="high", due_at=due(10))
    ask("no-date", risk="high")
    ask("overdue", risk="low", due_at=due(-1))
    rows = open_rows(database_now())
    assert [row["id"] for row in rows] == ["overdue", "high-soon", "high-late", "no-date", "low"]
    assert [row["group"] for row in rows] == ["Overdue", "High risk", "High risk", "High risk", "Low risk"]


def test_a_decided_request_leaves_the_queue_before_the_log_says_so() -> None:
    ask("ask-1")
    user = person("ana")
    approvals.decide(
        approval_id="ask-1", user=user, decision="approve", request_version=1, content_hash=content_hash(PAY)
    )
    assert open_rows(database_now()) == []
    assert open_count() == 0
    row = decided_rows(database_now())[0]
    assert (row["id"], row["open"], row["receipt"]["stage"], row["receipt"]["by"]) == ("ask-1", False, "Saved", "ana")


def test_a_new_version_brings_a_request_back() -> None:
    ask("ask-1")
    user = person("ana")
    approvals.decide(
        approval_id="ask-1", user=user, decision="reject", request_version=1, content_hash=content_hash(PAY)
    )
    ask("ask-1", version=2)
    assert [row["request_version"] for row in open_rows(database_now())] == [2]


def test_a_claim_is_shown_while_it_lasts() -> None:
    ask("ask-1")
    approvals.claim("ask-1", person("ana"))
    assert open_rows(database_now())[0]["claim"]["person"] == "ana"
    assert rows_of(Request.objects.all(), database_now() + 6 * MINUTE)[0]["claim"] is None


def test_no_row_of_the_queue_carries_arguments() -> None:
    ask("ask-1")
    assert "18240.50" not in str(open_rows(database_now()))


def test_the_queue_costs_the_same_queries_however_long_it_is() -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            open_rows(database_now())
        return len(queries)

    ask("ask-0")
    one = cost()
    for number in range(1, 20):
        ask(f"ask-{number}")
    assert cost() == one


def test_urgency_sums_to_the_queue() -> None:
    ask("a", due_at=due(-1))
    ask("b", due_at=due(10))
    ask("c", due_at=due(100))
    ask("d")
    now = database_now()
    assert urgency(open_rows(now), now) == {"overdue": 1, "soon": 1, "later": 1, "undated": 1}
