"""Incidents: opened when something is so, closed when it has not been so for a while; one at a time for a subject.

Asked again and again by the sweeper. A look that comes twice, or late, changes nothing: one open row a subject is a
constraint, and facts and calls are written in the transaction that opens or closes it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction

from dashboard import outbox
from dashboard.alerts.calling import plan_calls
from dashboard.alerts.conditions import Condition, conditions, polled
from dashboard.approvals.errors import NotAllowed
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import Alert, Decision, Silence
from dashboard.permissions import may_silence

SECOND: Final = 1_000_000
CALM: Final = 30 * SECOND
"""How long (µs) something must not be so before its incident is over: a group on the edge is one incident."""
GROUPS: Final = ("stalled", "lag", "retention")
MAX_SILENCE: Final = 30 * 24 * 3600 * SECOND
FACTS: Final = {"stalled": "consumer.stalled", "lag": "consumer.lag.exceeded"}


def look() -> int:
    """Open, keep and close by what is so now; returns how many incidents were opened or closed."""
    now = database_now()
    found = {condition.key: condition for condition in conditions(now)}
    still = {(alert.kind, alert.subject): alert for alert in Alert.objects.filter(closed_at=None)}
    fresh = polled(now)
    moved = sum(_open(condition, now) for key, condition in found.items() if key not in still)
    for key, alert in still.items():
        if key in found:
            Alert.objects.filter(pk=alert.pk).update(seen_at=now, cause=found[key].cause, title=found[key].title)
        elif now - alert.seen_at >= CALM and (fresh or alert.kind not in GROUPS):
            moved += _close(alert, now)
    return moved


def _open(condition: Condition, now: int) -> int:
    incident_id = outbox.event_id("alert", condition.kind, condition.subject, now)
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                incident_id=incident_id,
                kind=condition.kind,
                subject=condition.subject,
                severity=condition.severity,
                title=condition.title,
                cause=condition.cause,
                link=condition.link,
                tenant=condition.tenant,
                opened_at=now,
                seen_at=now,
                silenced=is_silenced(condition.kind, condition.subject, now),
            )
            if condition.kind in FACTS:
                _say(FACTS[condition.kind], alert, _opening(condition), now)
            if not alert.silenced:
                plan_calls([alert], "opened", now)
    except IntegrityError:
        return 0  # another sweeper was first
    return 1


def _opening(condition: Condition) -> dict[str, Any]:
    known = dict(condition.facts)
    said = {"waiting": known.get("waiting"), "age_ms": known.get("age_ms")}
    if condition.kind == "lag":
        return said | {"cause": condition.cause}
    return said | {"verdict": known.get("verdict"), "facts": known.get("facts")}


def _close(alert: Alert, now: int) -> int:
    with transaction.atomic():
        closed = Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=now)
        if closed:
            if alert.kind in FACTS:
                _say("consumer.lag.recovered", alert, {"lasted_ms": (now - alert.opened_at) // 1000}, now)
            if not alert.silenced:
                plan_calls([alert], "closed", now)
        return closed


def _say(name: str, alert: Alert, data: dict[str, Any], now: int) -> None:
    """A fact on the ops topic, by way of the outbox."""
    said = {"group": alert.subject, "incident_id": alert.incident_id} | data
    record = outbox.record(
        name,
        made_of=[alert.incident_id],
        at=now,
        run_id="",
        task_id="",
        agent_group=alert.subject,
        data={key: value for key, value in said.items() if value is not None},
    )
    row = Decision(
        decision_id=outbox.event_id(name, alert.incident_id),
        kind="alert",
        task_id=f"group/{alert.subject}",
        provenance={"by": "alert", "incident": alert.incident_id},
        records=outbox.pack([record]),
    )
    outbox.put_all([row], saved_at=now, valid_until=now + 3600 * SECOND)


def is_silenced(kind: str, subject: str, now: int) -> bool:
    """Whether somebody asked for quiet about this."""
    found: Iterable[Silence] = Silence.objects.filter(until__gt=now)
    return any(one.kind in ("", kind) and one.subject in ("", subject) for one in found)


def silence(user: Any, *, kind: str, subject: str, until: int, reason: str = "") -> Silence:
    """Keep quiet about a subject, or about all of a kind, until an instant (µs). Raises NotAllowed."""
    now = database_now()
    if not may_silence(user):
        raise NotAllowed("You have no right to silence alerts.")
    if not now < until <= now + MAX_SILENCE:
        raise NotAllowed("A silence has an end, in the future and within 30 days.")
    with transaction.atomic():
        made = Silence.objects.create(kind=kind, subject=subject, at=now, until=until, person=user, reason=reason)
        quiet: Sequence[Alert] = list(Alert.objects.filter(closed_at=None))
        ids = [one.pk for one in quiet if kind in ("", one.kind) and subject in ("", one.subject)]
        Alert.objects.filter(pk__in=ids).update(silenced=True)
        detail = {"kind": kind, "subject": subject, "until": until, "reason": reason}
        enter(voter_of(user), "alert.silence", f"alert/{kind or 'all'}/{subject or 'all'}", detail)
        return made


def wake() -> int:
    """Alerts whose silence has ended and that are still so: they are told now. Returns how many."""
    now, woken = database_now(), 0
    for alert in Alert.objects.filter(closed_at=None, silenced=True):
        if not is_silenced(alert.kind, alert.subject, now):
            with transaction.atomic():
                if Alert.objects.filter(pk=alert.pk, silenced=True).update(silenced=False):
                    plan_calls([alert], "opened", now)
                    woken += 1
    return woken
