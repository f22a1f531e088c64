"""The API's addresses. Importing a module registers its calls."""

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver

from dashboard.api import (
    acts,
    agents,
    alerts,
    approvals,
    audit,
    comparecall,
    eventpost,
    events,
    exports,
    healthcall,
    lagcall,
    letters,
    log,
    measures,
    pictures,
    querycalls,
    redrives,
    run,
    runs,
    workflows,
    xescall,
)
from dashboard.api.root import api

CALLS: Final = (
    acts,
    agents,
    alerts,
    approvals,
    audit,
    comparecall,
    eventpost,
    events,
    exports,
    healthcall,
    lagcall,
    letters,
    log,
    measures,
    pictures,
    querycalls,
    redrives,
    run,
    runs,
    workflows,
    xescall,
)


def _ordered() -> list[URLPattern | URLResolver]:
    """Addresses that end in an id come last: ids may hold slashes, so `runs/<id>` would swallow `runs/<id>/tasks`."""
    found: list[URLPattern | URLResolver] = list(api.urls[0])
    for pattern in found:
        if isinstance(pattern, URLPattern):
            # The calls say for themselves who is not signed in: with a problem document, not with a page.
            pattern.callback = login_not_required(pattern.callback)
    return sorted(found, key=lambda pattern: str(pattern.pattern).endswith(">"))


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = _ordered()
