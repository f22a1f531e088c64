"""Telling webhooks: a call a webhook and event of an incident, planned with it, sent with retry, each once."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from coordination.instants import rfc3339
from dashboard import webhooks
from dashboard.clock import database_now
from dashboard.models import Alert, AlertCall, Webhook

State = AlertCall.State
AT_ONCE: Final = 5
"""Calls a turn: an address that does not answer must not hold up the sweeper for long."""


def plan_calls(alerts: Sequence[Alert], event: str, now: int) -> None:
    """Tell all active webhooks of these alerts. Must run inside the transaction that opens or closes them."""
    hooks = list(Webhook.objects.filter(active=True, alerts=True))
    calls = [AlertCall(alert=alert, webhook=hook, event=event, due_at=now) for alert in alerts for hook in hooks]
    AlertCall.objects.bulk_create(calls, ignore_conflicts=True)


def call_due() -> int:
    """Send what is due, at most AT_ONCE; returns how many were taken."""
    found = AlertCall.objects.filter(state=State.WAITING, due_at__lte=database_now())
    calls = list(found.select_related("alert", "webhook").order_by("due_at")[:AT_ONCE])
    for one in calls:
        _call(one)
    return len(calls)


def _call(call: AlertCall) -> None:
    now = database_now()
    body = msgspec.json.encode(payload(call.alert, call.event))
    try:
        webhooks.post(call.webhook, body, now)
    except webhooks.NotTaken as error:
        changed = webhooks.failed(call.tries + 1, str(error), database_now())
        AlertCall.objects.filter(pk=call.pk).update(**changed)
    else:
        AlertCall.objects.filter(pk=call.pk).update(state=State.SENT, tries=call.tries + 1, sent_at=now, error="")


def payload(alert: Alert, event: str) -> dict[str, Any]:
    """What a webhook is told; the same incident_id for opened and closed."""
    return {
        "event": f"alert.{event}",
        "incident_id": alert.incident_id,
        "kind": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "title": alert.title,
        "cause": alert.cause,
        "link": webhooks.address(alert.link),
        "opened_at": rfc3339(alert.opened_at),
        "closed_at": rfc3339(alert.closed_at) if alert.closed_at else None,
    }
