"""Decisions we did not send are named once; our own never."""

from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from coordination.envelope import new_event
from dashboard import approvals, outbox
from dashboard.api.queue import rows_of
from dashboard.clock import database_now
from dashboard.models import Audit, Decision, Request
from dashboard.sweep.adoption import adopt_ended, adopt_new
from dashboard.sweep.foreign import Watch, look_at_pending
from tests.dashboard.cast import RUN, SECOND, TASK, ask, hear
from tests.dashboard.sweep.sweeping import approve, the_approval

pytestmark = pytest.mark.django_db


def forged(name: str, decision_id: str, **data: Any) -> None:
    made = new_event(
        name,
        source="/somebody",
        time=database_now(),
        id=decision_id + name,
        run_id=RUN,
        task_id=TASK,
        data={"approval_id": "ask-1", "request_version": 1, "decision_id": decision_id, **data},
    )
    hear(made)


def test_a_decision_we_did_not_send_is_named_once(ana: User) -> None:
    ask()
    adopt_new()
    assert Watch().look() == 0
    forged("approval.granted", "x", decision="approve")
    forged("task.resume.requested", "x", decision="approve")
    assert (look_at_pending(), look_at_pending(), Watch().look()) == (2, 0, 0)
    assert Audit.objects.filter(act="decision.foreign").count() == 2
    row = rows_of(Request.objects.filter(pk="ask-1"), database_now())[0]
    topics = {place.split("/")[0] for place in row["foreign"]}
    assert topics == {"coord.review.approval.events", "coord.run.decision.commands"}
    assert approve(ana).state == "granted"


def test_our_own_decision_read_back_is_no_stranger(ana: User) -> None:
    ask()
    approve(ana)
    row = Decision.objects.get()
    hear(*outbox.unpack(row.records))
    assert Watch().look() == 0


def test_a_second_command_under_our_own_id_is_a_stranger(ana: User) -> None:
    ask()
    row_id = approve(ana).decision_id
    forged("task.resume.requested", row_id, decision="edit", args={"amount": "1"})
    Decision.objects.update(state="published", positions=[["coord.run.decision.commands", 0, 10**9, 1]])
    assert Watch().look() == 1


def test_a_decision_after_ours_is_a_stranger(ana: User) -> None:
    ask()
    approve(ana)
    hear(*outbox.unpack(Decision.objects.get().records))
    outcome = approvals.receipts.Request.objects.get().body
    place = msgspec.json.decode(outcome)["outcomes"]["1"]
    sent = msgspec.json.decode(outcome)["sent"][0]
    ours = [[place["topic"], place["partition"], place["offset"], 1], [sent[1], sent[2], sent[3], 1]]
    Decision.objects.update(state="published", positions=ours)
    assert Watch().look() == 0
    forged("approval.denied", "y", decision="reject")
    assert Watch().look() == 1


def test_what_an_import_tells_of_others_is_no_stranger() -> None:
    ask(at=database_now() - 7200 * SECOND)
    forged("approval.granted", "x", decision="approve")
    assert (adopt_new(), adopt_ended(), Watch().look()) == (0, 0, 0)


def test_a_fresh_request_that_somebody_ended_before_we_had_it_is_looked_into() -> None:
    ask()
    forged("approval.granted", "x", decision="approve")
    assert (adopt_new(), adopt_ended()) == (0, 1)
    assert (the_approval().state, the_approval().decided_by) == ("granted", "the log")
    assert Watch().look() == 1
