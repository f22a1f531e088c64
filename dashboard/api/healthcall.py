"""API call: how the dashboard itself is."""

from django.http import HttpRequest, HttpResponse

from dashboard.api.health import health_row
from dashboard.api.recordshapes import Health
from dashboard.api.root import api, written
from dashboard.api.tokens import SessionAuth, TokenAuth


def _anyone(request: HttpRequest) -> bool:
    """Whoever is not signed in may ask too, and hears the status alone."""
    return "authorization" not in request.headers


@api.get("health", response=Health, auth=[TokenAuth(), SessionAuth(), _anyone], tags=["health"])
def health(request: HttpRequest) -> HttpResponse:
    """Log, ingest and relay. Without login the status alone: ok, degraded or down."""
    row = health_row()
    return written(row if request.user.is_authenticated else {"status": row["status"]})
