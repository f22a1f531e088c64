"""The record page: what happened to this message?"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from dashboard.api.addresses import short_position
from dashboard.api.recordpage import record_page
from dashboard.events import record_at
from dashboard.looks import note_unmasking
from dashboard.manifest import manifest
from dashboard.permissions import may_see_approvals, may_see_runs, needs, require
from dashboard.views.page import page


@require_http_methods(["GET", "HEAD", "POST"])
@needs(may_see_runs)
def record(request: HttpRequest, topic: str, partition: int, offset: int) -> HttpResponse:
    """One record: envelope explained, what it carries, causes, effects, fate. POST shows it unmasked, once."""
    if "review" in (manifest().family_of(topic) or topic).split("."):
        require(request.user, may_see_approvals)
    stored = record_at(topic, partition, offset)
    if stored is None:
        where = short_position(topic, partition, offset)
        raise Http404(f"The record {where} was not read, or has been pruned.")
    unmask = request.method == "POST"
    if unmask:
        note_unmasking(request.user, stored)
    found = record_page(stored, request.user, unmask=unmask)
    return page(
        request,
        "record.html",
        "runs",
        **found,
        title=found["row"]["name"] if found["row"] else "A record that is no event",
        where=short_position(topic, partition, offset),
        unmasked=unmask,
    )
