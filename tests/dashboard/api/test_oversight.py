"""Oversight: how long it takes, what people make of whom, how closely they look."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.api.oversight import oversight, percentile
from dashboard.clock import database_now
from dashboard.models import Approval, Decision
from dashboard.sweep.adoption import adopt_new
from tests.dashboard.approvals.clicking import decide
from tests.dashboard.cast import SECOND, ask, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.mark.parametrize(
    ("values", "p50", "p95"), [([], None, None), ([7], 7, 7), ([1, 2, 3, 4], 2, 4), (list(range(1, 101)), 50, 95)]
)
def test_percentiles_are_values_that_were_there(values: list[int], p50: int | None, p95: int | None) -> None:
    assert (percentile(values, 0.5), percentile(values, 0.95)) == (p50, p95)


def test_each_stage_is_measured_from_the_one_before() -> None:
    now = database_now()
    ask("ask-1", at=now - 100 * SECOND)
    adopt_new()
    decide(person("ana"))
    Approval.objects.update(first_viewed_at=now - 70 * SECOND, decided_at=now - 40 * SECOND)
    Decision.objects.filter(kind="decision").update(
        saved_at=now - 40 * SECOND, published_at=now - 39 * SECOND, applied_at=now - 37 * SECOND
    )
    stages = {each["stage"]: each["p50"] // SECOND for each in oversight(now + SECOND)["stages"]}
    assert stages == {"first view": 30, "decision": 60, "published": 1, "applied": 2}


def test_quick_votes_and_unseen_payloads_are_counted_and_split_by_agent_group() -> None:
    ana = person("ana")
    given = (("approve", 1_000, True), ("approve", 9_000, False), ("reject", None, True))
    for number, (decision, dwell, opened) in enumerate(given):
        ask(f"ask-{number}")
        decide(ana, decision, approval_id=f"ask-{number}", dwell_ms=dwell, opened_payload=opened)
    found = oversight(database_now() + SECOND)
    assert (found["votes"], found["timed"], found["quick"], found["unopened"]) == (3, 2, 1, 1)
    assert found["groups"] == [{"group": "payer", "total": 3, "approve": 2, "edit": 0, "reject": 1, "respond": 0}]
    assert found["provenance"] == [{"by": "people", "count": 3}]
