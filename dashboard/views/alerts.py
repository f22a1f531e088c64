"""Alerts: what should somebody look at? One row an incident; silences with an end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from dashboard.alerts import silence
from dashboard.api.alertlist import alert_rows, failed_calls, silence_rows
from dashboard.approvals.errors import NotAllowed
from dashboard.clock import database_now
from dashboard.permissions import may_see_agents, may_silence, needs
from dashboard.views.page import page

MINUTE = 60 * 1_000_000
REACHES = ((60, "1 hour"), (480, "8 hours"), (1_440, "1 day"), (10_080, "1 week"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(may_see_agents)
def alerts(request: HttpRequest) -> HttpResponse:
    """Open incidents first; a POST silences one."""
    if request.method == "POST":
        return _silenced(request)
    now = database_now()
    return page(
        request,
        "alerts.html",
        "alerts",
        now=now,
        alerts=alert_rows(now),
        over=alert_rows(now, closed=True),
        silences=silence_rows(now),
        failed_calls=failed_calls(),
        reaches=REACHES,
        may_silence=may_silence(request.user),
    )


def _silenced(request: HttpRequest) -> HttpResponse:
    minutes = request.POST.get("minutes", "")
    until = database_now() + (int(minutes) if minutes.isdigit() and len(minutes) < 6 else 0) * MINUTE
    given = {name: request.POST.get(name, "")[:500] for name in ("kind", "subject", "reason")}
    try:
        silence(request.user, until=until, **given)
        messages.success(request, "Silenced. It stays on this page.")
    except NotAllowed as refused:
        messages.error(request, str(refused))
    return redirect("alerts")
