"""What no event of the run tells, as it stood at an instant: dead letters, decisions of people, polls of groups."""

from typing import Any

import pytest

from dashboard.models import Approval, ConsumerGroup, DeadLetter, GroupSnapshot
from dashboard.past.beside import beside, put
from dashboard.past.tables import Tables
from tests.dashboard.scenes import MINUTE, NOW, dead_letter, group

pytestmark = pytest.mark.django_db


def then(at: int | None) -> Tables:
    tables = Tables()
    kept = beside("run-1", at)
    with tables.to_fill():
        put(kept)
        put(kept)
    return tables


def seen(at: int | None, model: Any, *columns: str) -> list[Any]:
    with then(at).in_place():
        return list(model.objects.order_by("pk").values_list(*columns))


def test_letters_are_open_until_they_are_resolved_and_absent_before_they_are_written() -> None:
    dead_letter(1, at=NOW, state="redriven", resolved_at=NOW + 2 * MINUTE)
    dead_letter(2, at=NOW + MINUTE, run_id="another")
    assert seen(NOW - 1, DeadLetter, "state") == []
    assert seen(NOW + MINUTE, DeadLetter, "state") == [("open",)]
    assert seen(NOW + 3 * MINUTE, DeadLetter, "state") == [("redriven",)]
    assert seen(None, DeadLetter, "state", "resolved_at") == [("redriven", NOW + 2 * MINUTE)]


def test_a_decision_counts_from_when_it_was_taken() -> None:
    given = {"approval_id": "a", "run_id": "run-1", "version": 1, "state": "granted", "decided_at": NOW + MINUTE}
    Approval.objects.create(**given)
    assert seen(NOW, Approval, "state") == [("pending",)]
    assert seen(NOW + MINUTE, Approval, "state") == [("granted",)]
    assert seen(None, Approval, "state") == [("granted",)]


def test_groups_are_as_the_last_poll_before_had_them() -> None:
    group("payer", "idle", taken_at=NOW + 9 * MINUTE)
    for minute, waiting in ((1, 5), (2, 7), (9, 0)):
        GroupSnapshot.objects.create(
            group="agent.payer", taken_at=NOW + minute * MINUTE, waiting=waiting, members=minute, verdict="slow"
        )
    assert seen(NOW, ConsumerGroup, "waiting") == []
    assert seen(NOW + 3 * MINUTE, ConsumerGroup, "agent_group", "waiting", "verdict") == [("payer", 7, "slow")]
    assert seen(None, ConsumerGroup, "verdict") == [("idle",)]
