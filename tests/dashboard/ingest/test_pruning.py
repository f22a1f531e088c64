"""Pruning: what the policy says goes and nothing else; previewed, entered in the trail, and the chains still hold."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coordination.eventlog import NewRecord
from dashboard import policies, pruning
from dashboard.anchoring import Anchoring
from dashboard.clock import database_now
from dashboard.models import Audit, PrunedRecords, Request, Run, Segment, Shard, Task
from dashboard.policies import Retention
from dashboard.recordchain import verify_records
from dashboard.segments import unpack
from tests.traffic import Traffic

pytestmark = pytest.mark.django_db(transaction=True)
DAY = pruning.DAY


@pytest.fixture
def stored(tables: str, append: Any, drain: Any) -> str:
    """Traffic that was read, with its chain in the trail; the first two runs ended long ago."""
    records: list[NewRecord] = Traffic(5, odd=0.3, live_runs=4).records(900)
    append(records)
    assert drain()
    Anchoring().enter_heads(every=-1)
    now = database_now()
    ended = list(Run.objects.filter(state="completed").order_by("run_id").values_list("run_id", flat=True))
    assert len(ended) >= 3
    Run.objects.exclude(run_id__in=ended[:2]).filter(ended_at__isnull=False).update(ended_at=now)
    Run.objects.filter(run_id__in=ended[:2]).update(ended_at=now - 40 * DAY)
    return tables


def pruned(policy: Retention) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, records in pruning.prune(policy, "user-1"):
        found[name] = found.get(name, 0) + records
    return found


def test_without_a_policy_nothing_is_due(stored: str) -> None:
    assert [(plan.runs, plan.records) for plan in pruning.plans(Retention(), database_now())] == [(0, 0)] * 5
    assert pruned(Retention()) == {}


def test_old_runs_go_with_their_records_and_the_chain_still_holds(stored: str) -> None:
    policy, runs = Retention(runs=30), Run.objects.count()
    plan = next(plan for plan in pruning.plans(policy, database_now()) if plan.name == "completed")
    due = list(pruning._due(policy, database_now()).values_list("run_id", flat=True))
    assert plan.runs == len(due) > 0
    assert Run.objects.count() == runs, "a preview changes nothing"
    assert pruned(policy)["runs"] == plan.records
    assert Run.objects.count() == runs - plan.runs
    for model in (Task, Segment, Request):
        assert not model.objects.filter(run_id__in=due).exists()  # type: ignore[attr-defined]
    assert PrunedRecords.objects.exists()
    assert list(verify_records()) == []
    assert Audit.objects.filter(act="runs.pruned").exists()


def test_a_run_in_which_a_person_was_asked_is_kept_as_long_as_approvals_are(stored: str) -> None:
    run_id = Run.objects.filter(ended_at__lt=database_now() - 30 * DAY)[0].run_id
    Request.objects.update_or_create(
        approval_id="ask", defaults={"run_id": run_id, "task_id": "t", "version": 1, "revision": 1, "body": "{}"}
    )
    pruned(Retention(runs=30))
    assert Run.objects.filter(run_id=run_id).exists(), "no time is stated for approvals: for ever"
    pruned(Retention(runs=30, approvals=35))
    assert not Run.objects.filter(run_id=run_id).exists()


def test_calls_go_before_their_run_and_records_of_no_run_by_themselves(stored: str) -> None:
    before = Segment.objects.filter(run_id="").count()
    found = pruned(Retention(tools=0, ops=0))
    assert before
    assert found["ops"] > 0
    assert found["tools"] > 0
    assert not Segment.objects.filter(run_id="").exists()
    ended = Run.objects.filter(state__in=pruning.ENDED).values("run_id")
    for segment in Segment.objects.filter(run_id__in=ended, last_at__lt=database_now()):
        assert not any(map(pruning._is_call, unpack(segment.dictionary_id, bytes(segment.blob))))
    assert list(verify_records()) == []


def test_nothing_goes_while_a_rebuild_is_under_way(stored: str) -> None:
    Shard.objects.update_or_create(
        shard="rebuild", defaults={"role": "rebuild", "owner": "w", "lease_until": database_now() + 10**8}
    )
    with pytest.raises(pruning.Busy):
        pruned(Retention(runs=30))
    assert not Audit.objects.filter(act="runs.pruned").exists()


def test_the_command_previews_and_asks_who(stored: str) -> None:
    policies.change("retention", {"runs": 30}, "user-1")
    out, runs = StringIO(), Run.objects.count()
    call_command("prune", stdout=out)
    assert "Nothing was deleted" in out.getvalue()
    with pytest.raises(CommandError, match="--by"):
        call_command("prune", apply=True, stdout=StringIO())
    assert Run.objects.count() == runs
    call_command("prune", apply=True, by="ana", stdout=out)
    assert Run.objects.count() < runs
    assert Audit.objects.filter(actor="command/ana", act="runs.pruned").exists()
