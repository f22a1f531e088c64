"""The evidence: what the agent cannot have written, and how such requests went before."""

from pathlib import Path
from typing import Any

import pytest

from coordination.approvals import content_hash
from dashboard import approvals
from dashboard.api.reviewevidence import evidence
from dashboard.api.reviewpage import review
from dashboard.clock import database_now
from dashboard.models import Request
from tests.dashboard.cast import PAY, ask, person
from tests.dashboard.scenes import group, run, task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


def shown(approval_id: str = "ask-1") -> dict[str, Any]:
    now = database_now()
    return evidence(review(Request.objects.get(approval_id=approval_id), person(f"for-{approval_id}"), now), now)


def test_the_facts_tell_whether_the_hash_is_that_of_what_is_shown() -> None:
    ask("ask-1")
    group("payer", "stuck")
    facts = dict(shown()["facts"])
    assert facts["Hash over what is shown"] == "matches the request"
    assert facts["Tasks waiting before the group"] == "12"
    ask("ask-2", content_hash="0" * 64)
    assert dict(shown("ask-2")["facts"])["Hash over what is shown"] == "differs from the request"


def test_the_evidence_holds_the_chain_of_the_task_and_how_it_went_before() -> None:
    run()
    task("task-1")
    ask("ask-1")
    approvals.decide(
        approval_id="ask-1",
        user=person("ana"),
        decision="approve",
        request_version=1,
        content_hash=content_hash(PAY),
    )
    found = shown()
    assert [step["task_id"] for step in found["chain"]] == ["task-1"]
    assert found["history"] == [("Approved, edited, rejected", "1, 0, 0")]
