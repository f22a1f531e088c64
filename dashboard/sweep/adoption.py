"""New requests and new versions get their approval row: from then on people and timers can act on them."""

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from dashboard.approvals.announcement import announce
from dashboard.approvals.review import locked
from dashboard.clock import database_now
from dashboard.models import Approval, Request

AT_ONCE: Final = 200
RECENT: Final = 3600 * 1_000_000
"""Requests so young (µs) are taken up even if the log says that they have ended: who ended them is looked into."""


def adopt_new() -> int:
    """Take up requests without a row, and versions higher than their row's; returns how many."""
    ours = Approval.objects.filter(approval_id=OuterRef("approval_id"))
    current = Exists(ours.filter(version__gte=OuterRef("version")))
    young = Q(requested_at__gt=database_now() - RECENT)
    found = Request.objects.filter(Q(state="pending") | young, ~current, version__gt=0)
    ids = list(found.order_by("requested_at").values_list("approval_id", flat=True)[:AT_ONCE])
    for approval_id in ids:
        with transaction.atomic():
            locked(approval_id)
            announce(approval_id)
    return len(ids)
