"""New requests and new versions get their approval row: from then on people and timers can act on them."""

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from dashboard.approvals.announcement import announce
from dashboard.approvals.review import locked
from dashboard.clock import database_now
from dashboard.models import Approval, Request

AT_ONCE: Final = 200
RECENT: Final = 3600 * 1_000_000


def adopt_new() -> int:
    """Take up pending requests without a row, and versions higher than their row's; returns how many."""
    return _adopt(Request.objects.filter(state="pending"))


def adopt_ended() -> int:
    """Take up requests of the last hour that have ended on the log before we had them: who ended them is looked
    into. Older ones come from an import, or from before this installation."""
    return _adopt(Request.objects.filter(requested_at__gt=database_now() - RECENT).exclude(state="pending"))


def _adopt(found: QuerySet[Request]) -> int:
    ours = Approval.objects.filter(approval_id=OuterRef("approval_id"), version__gte=OuterRef("version"))
    new = found.filter(~Exists(ours), version__gt=0).order_by("requested_at")
    ids = list(new.values_list("approval_id", flat=True)[:AT_ONCE])
    for approval_id in ids:
        with transaction.atomic():
            locked(approval_id)
            announce(approval_id)
    return len(ids)
