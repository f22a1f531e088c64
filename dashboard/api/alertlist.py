"""Alerts as rows: what is open, what was, and what is kept quiet."""

from typing import Any, Final

from coordination.lag import words
from dashboard.api.instants import iso
from dashboard.models import Alert, AlertCall, Silence

RECENT: Final = 50
SIGNS: Final = {"critical": "failed", "warning": "retrying"}


def open_alerts(severity: str = "") -> int:
    """How many incidents are open and not silenced, of one severity or of any."""
    found = Alert.objects.filter(closed_at=None, silenced=False)
    return (found.filter(severity=severity) if severity else found).count()


def alert_rows(now: int, *, closed: bool = False) -> list[dict[str, Any]]:
    """Open incidents, the gravest and newest first; or those that are over, newest first."""
    found = Alert.objects.filter(closed_at__isnull=not closed).order_by("-opened_at")[:RECENT]
    rows = [alert_row(alert, now) for alert in found]
    return sorted(rows, key=lambda row: row["order"])


def alert_row(alert: Alert, now: int) -> dict[str, Any]:
    """One incident."""
    ended = alert.closed_at
    sign = "done" if ended else "canceled" if alert.silenced else SIGNS.get(alert.severity, "retrying")
    label = "over" if ended else "silenced" if alert.silenced else alert.severity
    return {
        "kind": "alert",
        "id": alert.incident_id,
        "revision": ended or alert.seen_at,
        "order": [alert.silenced, alert.severity != "critical", -alert.opened_at],
        "sort": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "sign": {"sign": sign, "label": label},
        "title": alert.title,
        "cause": alert.cause,
        "link": alert.link,
        "opened_at": iso(alert.opened_at),
        "closed_at": iso(ended),
        "lasted": words((ended or now) - alert.opened_at),
        "silenced": alert.silenced,
    }


def silence_rows(now: int) -> list[dict[str, Any]]:
    """The silences that hold."""
    found = Silence.objects.filter(until__gt=now).select_related("person").order_by("until")
    return [
        {
            "what": " ".join(filter(None, (one.kind, one.subject))) or "everything",
            "until": iso(one.until),
            "person": one.person.get_username(),
            "reason": one.reason,
        }
        for one in found
    ]


def failed_calls() -> list[dict[str, Any]]:
    """Webhooks that did not take a call, the last try first."""
    found = AlertCall.objects.exclude(error="").exclude(state=AlertCall.State.SENT).select_related("webhook", "alert")
    return [
        {"hook": one.webhook.name, "title": one.alert.title, "tries": one.tries, "error": one.error, "state": one.state}
        for one in found.order_by("-pk")[:10]
    ]
