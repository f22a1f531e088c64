"""How the dashboard itself is: log, ingest, relay. The freshness stamp of every page is made of this row.

Everything is read from the tables that workers write; a page or API request never asks the log.
"""

from typing import Any, Final

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, Sum

from coordination.lag import words
from dashboard.api.alertlist import open_alerts
from dashboard.api.grouplist import alarms
from dashboard.api.instants import iso, seconds
from dashboard.api.paging import counted
from dashboard.api.queue import open_count
from dashboard.clock import database_now
from dashboard.models import DeadLetter, Decision, Gap, Position, Worker

SECOND: Final = 1_000_000
# A worker asks for the log's ends every few seconds. What it saw there and has still not read this long
# afterwards is behind; less is a batch under way.
GRACE: Final = SECOND
POLL_SECONDS: Final = 5
# Workers ask for the log's ends every two seconds. Without an answer for so long nobody knows how far behind the
# tables are, so it counts as behind; for longer, the log is out of reach and ingest stands still.
SILENT: Final = 5 * SECOND
STALE: Final = 10 * SECOND
STANDS_STILL: Final = 30 * SECOND


def log_kind() -> str:
    """embedded, kafka, http or memory."""
    scheme = str(settings.LINESIDE_LOG).partition(":")[0]
    return {"sqlite": "embedded", "https": "http"}.get(scheme, scheme)


def health_row(now: int | None = None) -> dict[str, Any]:
    """The whole row: the API's fields, and what the header needs."""
    now = database_now() if now is None else now
    ingest, relay, trouble = _ingest(now), _relay(now), _trouble(now)
    still = ingest["still"]
    status = "down" if still else "degraded" if trouble or relay["oldest_seconds"] else "ok"
    return {
        "kind": "health",
        "id": "health",
        "revision": now // 1000,
        "order": [0],
        "status": status,
        "log": {"kind": log_kind(), "reachable": ingest["reachable"]},
        "ingest": {"behind_records": ingest["records"], "behind_seconds": ingest["seconds"]},
        "relay": relay,
        "behind_records": ingest["records"],
        "behind_seconds": ingest["seconds"],
        "log_end_at": iso(ingest["log_end_at"]),
        "shown_at": iso(ingest["shown_at"]),
        "standing_still": still,
        "as_of": iso(now),
        "every_seconds": POLL_SECONDS,
        "trouble": trouble or ingest["words"] or _alerted(),
        "counts": {
            "approvals": open_count(),
            "agents": alarms(),
            "alerts": open_alerts(),
            "dead": counted(DeadLetter.objects.filter(state=DeadLetter.State.OPEN)),
        },
    }


def _alerted() -> str:
    """The banner of open incidents; what they are about is for those who may see it."""
    count = open_alerts(severity="critical")
    return f"{count} critical alert{'s are' if count > 1 else ' is'} open: see Alerts." if count else ""


def _ingest(now: int) -> dict[str, Any]:
    late = Q(end_offset__gt=F("next_offset"), end_at__lt=now - GRACE)
    sums = Position.objects.aggregate(
        partitions=Count("topic"),
        shown_at=Max("last_at"),
        asked_at=Max("end_at"),
        records=Sum(F("end_offset") - F("next_offset"), filter=late, default=0),
        oldest=Min("last_at", filter=late),
    )
    roles = set(Worker.objects.filter(lease_until__gt=now).values_list("role", flat=True))
    worked = "ingest" in roles
    asked, shown, records = sums["asked_at"], sums["shown_at"], int(sums["records"] or 0)
    reachable = None if asked is None else now - asked <= STALE
    behind = _behind(now, asked, sums["oldest"] if records else None)
    still = bool(sums["partitions"]) and (not worked or reachable is False or (behind or 0) > STANDS_STILL)
    return {
        "records": records,
        "seconds": seconds(behind),
        "shown_at": shown,
        "log_end_at": asked if records else shown,
        "reachable": bool(reachable) if reachable is not None else worked,
        "still": still,
        "words": _still_words(bool(roles), worked, behind, reachable) if still else "",
    }


def _behind(now: int, asked: int | None, oldest: int | None) -> int | None:
    """How long ago what is not yet read was appended, or the log last told where it ends; None if it never did."""
    if asked is None:
        return None
    silence = now - asked if now - asked > SILENT else 0
    return max(silence, 0 if oldest is None else now - oldest)


def _still_words(alive: bool, worked: bool, behind: int | None, reachable: bool | None) -> str:
    # Who waits for a log that does not answer cannot always renew its lease in time: other roles of it can.
    if not worked and not (alive and reachable is False):
        return "Ingest stands still: no worker is running. What you see does not change until one starts."
    if reachable is False:
        return "Ingest stands still: the log has not answered. What you see is the last that was read."
    return f"Ingest is {words(behind)} behind the log. Approving asks you to confirm meanwhile."


def _relay(now: int) -> dict[str, Any]:
    unsent = Decision.objects.filter(state=Decision.State.SAVED, held_until__lte=now).aggregate(
        count=Count("decision_id"), oldest=Min("saved_at")
    )
    oldest = unsent["oldest"]
    return {"unsent": unsent["count"], "oldest_seconds": 0.0 if oldest is None else seconds(now - oldest)}


def _trouble(now: int) -> str:
    gap = Gap.objects.filter(accepted_at=None).order_by("found_at").first()
    if gap is not None:
        return f"Records are lost on {gap.topic}-{gap.partition}: {gap.message}"
    waiting = (
        Decision.objects.filter(state=Decision.State.SAVED, saved_at__lt=now - STANDS_STILL, held_until__lte=now)
        .order_by("saved_at")
        .first()
    )
    if waiting is None:
        return ""
    why = f": {waiting.error}" if waiting.error else ""
    return (
        f"Decisions are saved but not sent for {words(now - waiting.saved_at)}{why}. They will be sent by themselves."
    )
