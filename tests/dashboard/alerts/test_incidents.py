"""One alert an incident, with its cause and a link; closed when it is over; quiet for as long as somebody asked."""

from typing import Any

import pytest

from dashboard.alerts import incidents, look, silence
from dashboard.alerts.incidents import CALM, wake
from dashboard.approvals.errors import NotAllowed
from dashboard.clock import database_now
from dashboard.models import Alert, AlertCall, Audit, ConsumerGroup, Decision, Webhook
from dashboard.outbox import unpack
from tests.dashboard.scenes import group, member, run

pytestmark = pytest.mark.django_db


def polled(verdict: str, name: str = "payer") -> None:
    ConsumerGroup.objects.filter(agent_group=name).delete()
    group(name, verdict, taken_at=database_now())


def later(monkeypatch: Any, microseconds: int) -> None:
    """Everything happens so much later; polls go on."""
    at = database_now() + microseconds
    monkeypatch.setattr(incidents, "database_now", lambda: at)
    ConsumerGroup.objects.update(taken_at=at)


def sent() -> list[str]:
    names = []
    for row in Decision.objects.filter(kind="alert").order_by("saved_at"):
        names += [dict(record.headers)["ce_type"].decode() for record in unpack(row.records)]
    return names


def test_a_group_that_stands_still_is_one_incident_however_often_it_is_looked_at() -> None:
    polled("stuck")
    assert [look(), look()] == [1, 0]
    alert = Alert.objects.get()
    assert (alert.kind, alert.subject, alert.severity) == ("stalled", "payer", "critical")
    assert (alert.title, alert.link) == ("payer is stuck", "/agents/payer/")
    assert alert.cause == "12 wait and none started"
    assert sent() == ["coordination.consumer.stalled"]


@pytest.mark.parametrize("verdict", ["idle", "working", "unknown"])
def test_a_healthy_group_never_alarms(verdict: str) -> None:
    polled(verdict)
    assert look() == 0


def test_slow_is_lag_and_is_told_on_the_log_when_it_is_over(monkeypatch: Any) -> None:
    polled("slow")
    look()
    polled("working")
    assert look() == 0
    later(monkeypatch, CALM + 1)
    assert look() == 1
    assert Alert.objects.get().closed_at is not None
    assert sent() == ["coordination.consumer.lag.exceeded", "coordination.consumer.lag.recovered"]


def test_without_a_fresh_poll_nothing_is_said_to_be_over(monkeypatch: Any) -> None:
    polled("stuck")
    look()
    at = database_now() + CALM + 60_000_000
    monkeypatch.setattr(incidents, "database_now", lambda: at)
    assert look() == 0
    assert Alert.objects.get().closed_at is None


def test_a_failed_run_names_its_first_cause() -> None:
    cause = {"task_id": "t-9", "error_type": "HTTPError", "error_message": "410 gone\nlong"}
    run(state="failed", ended_at=database_now() - 5, first_cause=cause)
    look()
    alert = Alert.objects.get()
    assert (alert.kind, alert.cause, alert.link) == ("run", "HTTPError: 410 gone", "/runs/run-1/tasks/t-9/")
    assert sent() == []


def test_a_silence_has_an_end_and_is_in_the_trail() -> None:
    lena = member("lena", "steer_run", "view_all_tenants")
    now = database_now()
    for until in (now - 1, now + 40 * 24 * 3600 * 1_000_000):
        with pytest.raises(NotAllowed):
            silence(lena, kind="stalled", subject="payer", until=until)
    with pytest.raises(NotAllowed):
        silence(member("eve", "view_run"), kind="", subject="", until=now + 60_000_000)
    silence(lena, kind="stalled", subject="payer", until=now + 60_000_000, reason="deploy")
    assert Audit.objects.get().act == "alert.silence"


def test_what_is_silenced_is_shown_but_told_nobody_until_the_silence_ends(monkeypatch: Any) -> None:
    Webhook.objects.create(name="pager", url="http://127.0.0.1:9/", secret="s")
    lena = member("lena", "steer_run", "view_all_tenants")
    silence(lena, kind="stalled", subject="payer", until=database_now() + 60_000_000)
    polled("stuck")
    look()
    assert Alert.objects.get().silenced
    assert not AlertCall.objects.exists()
    assert wake() == 0
    later(monkeypatch, 61_000_000)
    assert wake() == 1
    assert AlertCall.objects.get().event == "opened"
