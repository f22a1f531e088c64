"""Orders: exactly what the dry run showed, once, with an entry in the audit trail."""

from typing import Any

import pytest

from coordination.eventlog import EventLog
from dashboard.approvals.errors import NotAllowed
from dashboard.clock import database_now
from dashboard.databasethread import DatabaseThread
from dashboard.models import Audit, DeadLetter, Decision, Redrive, RedriveItem
from dashboard.redrive import discard, plan_discard, plan_redrive, redrive
from dashboard.redrive.order import PlanChanged
from tests.dashboard.redrive.letters import COMMANDS, letter
from tests.dashboard.relay.conftest import _state, db, log  # noqa: F401  # pytest finds fixtures by name
from tests.dashboard.relaying import on_log, relaying, settled, until
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db(transaction=True)


def order(redrive_id: str = "order-1", user: Any = None, **given: Any) -> Redrive:
    found = DeadLetter.objects.all()
    plan = plan_redrive(found, database_now()).digest
    user = user or member(f"lena-{redrive_id}", "redrive_deadletter")
    return redrive(found, user, redrive_id=redrive_id, **({"plan": plan, "reason": "the API is back"} | given))


def test_an_order_is_rows_of_the_outbox_settled_letters_and_one_entry_in_the_trail() -> None:
    for number in range(1, 4):
        letter(f"task-{number}", number)
    order()
    assert Decision.objects.filter(kind="redrive", state="saved").count() == 3
    assert DeadLetter.objects.filter(state="redriven", resolved_by="lena-order-1").count() == 3
    entry = Audit.objects.get()
    assert (entry.act, entry.subject) == ("letters.redrive", "redrive/order-1")
    assert "the API is back" in entry.detail


def test_the_same_id_again_is_the_same_order_whatever_is_said() -> None:
    letter()
    user = member("lena", "redrive_deadletter")
    first = order(user=user)
    letter("task-2", 2)
    assert order(user=user, plan="anything") == first
    assert RedriveItem.objects.count() == Decision.objects.count() == 1


def test_letters_that_changed_since_the_dry_run_are_not_touched() -> None:
    letter()
    found = DeadLetter.objects.all()
    plan = plan_redrive(found, database_now()).digest
    letter("task-2", 2)
    with pytest.raises(PlanChanged) as changed:
        order(plan=plan)
    assert changed.value.plan.row()["letters"] == 2
    assert not Decision.objects.exists()


def test_a_letter_is_in_one_redrive_only() -> None:
    letter()
    order()
    with pytest.raises(PlanChanged):
        order("order-2")
    assert RedriveItem.objects.count() == 1


def test_it_needs_the_right() -> None:
    letter()
    with pytest.raises(NotAllowed):
        order(user=member("eve", "view_deadletter"))


def test_a_discard_settles_the_letters_and_tells_the_log() -> None:
    letter()
    found = DeadLetter.objects.all()
    assert discard(found, member("lena", "redrive_deadletter"), plan=plan_discard(found).digest) == 1
    assert DeadLetter.objects.get().state == "discarded"
    assert Decision.objects.get().kind == "discard"


async def test_the_log_gets_each_record_once_with_a_fact_beside_it(log: EventLog, db: DatabaseThread) -> None:  # noqa: F811
    def prepare() -> None:
        for number in range(1, 31):
            letter(f"task-{number % 7}", number)
        # Another group gave up the same event: the same bytes go back a second time, under their own name.
        letter("task-1", 50)
        order()

    await db.run(prepare)
    async with relaying(log):
        await until(db, settled)
    back = await on_log(log, COMMANDS)
    assert len(back) == 31
    assert {event.partition for event in back} == {3}
    facts = await on_log(log, "coord.ops.events")
    assert [event.name for event in facts] == ["record.redriven"] * 31
    assert len({event.data.dead_letter.offset for event in facts}) == 31
    of_task = [event.offset for event in back if event.task_id == "task-1"]
    assert of_task == sorted(of_task)
