"""API calls about alerts: what is open, what was, and a silence with an end."""

from typing import Any

from django.http import HttpRequest
from ninja import Field, Schema

from dashboard.alerts import silence
from dashboard.api.alertlist import alert_rows, silence_rows
from dashboard.api.deciding import told
from dashboard.api.instants import iso
from dashboard.api.root import access, allowed, api
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, may_silence

MINUTE = 60 * 1_000_000


class SilenceBody(Schema):
    """What to keep quiet about (a kind, a subject; "" is any), for how many minutes (30 days at most), and why."""

    kind: str = Field("", max_length=32)
    subject: str = Field("", max_length=256)
    minutes: int = Field(60, ge=1, le=43_200)
    reason: str = Field("", max_length=500)


class AlertPage(Schema):
    """Alerts, the gravest first."""

    items: list[dict[str, Any]]
    next: str | None


@api.get("alerts", response=AlertPage, tags=["alerts"])
@allowed(may_see_agents)
def alerts(request: HttpRequest, state: str = "open") -> dict[str, Any]:
    """Open incidents, the gravest first; `state=closed`: those that are over, newest first."""
    now = database_now()
    return {"items": alert_rows(now, closed=state == "closed"), "next": None, "silences": silence_rows(now)}


@api.post("alerts/silences", tags=["alerts"])
@allowed(may_silence, "steer")
def silences(request: HttpRequest, body: SilenceBody) -> tuple[int, dict[str, Any]]:
    """Nobody is told of these alerts for a while; they stay on the page."""
    until = database_now() + body.minutes * MINUTE
    made = told(
        lambda: silence(access(request).user, kind=body.kind, subject=body.subject, until=until, reason=body.reason)
    )
    return 201, {"kind": made.kind, "subject": made.subject, "until": iso(made.until)}
