"""What goes on: workers, gaps, what is behind, what waits to be sent, and the log's clock as records show it."""

from collections.abc import Iterator
from typing import Final

from django.db.models import Count, Max, Min

from coordination.lag import words
from dashboard.api.health import health_row
from dashboard.clock import database_now
from dashboard.doctor.finding import Finding, doubt, fault, fine
from dashboard.models import Batch, Decision, Gap, Position, Rejected, Segment, Worker
from dashboard.runtime import ALL
from dashboard.segments import SEGMENTS_A_BATCH

WORKERS: Final = "workers"
READING: Final = "ingest"
RELAY: Final = "relay"
CLOCK: Final = "clock"
SECOND: Final = 1_000_000
OFF: Final = 2 * SECOND
LATE: Final = 60 * SECOND
LAST: Final = 200
# Roles that report themselves; the others run beside them in the same process.
REPORTING: Final = ("ingest", "relay")


def workers() -> Iterator[Finding]:
    """Whether somebody does the work. None is no fault: they may be started after this."""
    now = database_now()
    alive = Worker.objects.filter(lease_until__gt=now).values("role").annotate(count=Count("worker_id"))
    counts = {row["role"]: row["count"] for row in alive}
    missing = [role for role in REPORTING if role in ALL and role not in counts]
    if missing:
        remedy = "Start `manage.py worker`; until then pages stand still and decisions wait."
        yield doubt(WORKERS, f"nobody does {' and '.join(missing)}", remedy)
    else:
        yield fine(WORKERS, ", ".join(f"{count} × {role}" for role, count in sorted(counts.items())))


def gaps() -> Iterator[Finding]:
    """Shards that stand still because records are lost."""
    for gap in Gap.objects.filter(accepted_at=None).order_by("found_at", "pk"):
        remedy = f"Find out who deleted what; then `manage.py gaps --accept {gap.pk}` lets shard {gap.shard} go on."
        place = f"{gap.topic}-{gap.partition} at {gap.expected_offset}"
        yield fault(READING, f"it stands still on {place}: {gap.message}", remedy)


def behind() -> Iterator[Finding]:
    """How far the tables are behind the log."""
    row = health_row()
    late = row["behind_seconds"]
    if late is None:
        yield fine(READING, "nothing was read yet")
    elif row["standing_still"]:
        yield doubt(READING, row["trouble"], "See workers and log here; it goes on by itself once both are there.")
    elif late * SECOND > LATE:
        remedy = "Start more workers, on PostgreSQL; see that none is paused and the database is quick."
        yield doubt(READING, f"{row['behind_records']} records behind, {words(int(late * SECOND))}", remedy)
    else:
        yield fine(READING, f"{row['behind_records']} records behind")
    rejected = Rejected.objects.count()
    if rejected:
        remedy = "They are kept with their reasons; the dead letters page lists them."
        yield doubt(READING, f"{rejected} records were no events", remedy)


def unsent() -> Iterator[Finding]:
    """Decisions that should be on the log by now, and those that never will be."""
    now = database_now()
    waiting = Decision.objects.filter(state=Decision.State.SAVED, held_until__lte=now, saved_at__lt=now - LATE)
    oldest = waiting.order_by("saved_at").first()
    if oldest is not None:
        why = f" ({oldest.error})" if oldest.error else ""
        remedy = "They go by themselves once a relay runs, the log answers and its rights suffice."
        count = f"{waiting.count()} decisions are not sent for {words(now - oldest.saved_at)}"
        yield fault(RELAY, f"{count}{why}", remedy)
    lost = Decision.objects.filter(state=Decision.State.UNDELIVERABLE).count()
    if lost:
        remedy = "Each names its reason in the admin; decide again where it still matters."
        yield doubt(RELAY, f"{lost} decisions could not be delivered", remedy)
    if oldest is None and not lost:
        yield fine(RELAY, "no decision waits to be sent")


def log_clock() -> Iterator[Finding]:
    """The log's clock against the workers': a record is read after it was appended, and soon after if live."""
    latest = Position.objects.aggregate(latest=Max("last_at"))["latest"]
    if latest is None:
        return
    remedy = "Let brokers, workers and database keep time by NTP."
    ahead = latest - database_now()
    least = _least_delay()
    if ahead > OFF or (least is not None and least < -OFF):
        apart = max(ahead, -(least or 0)) / SECOND
        yield doubt(CLOCK, f"the log's clock is at least {apart:.1f} s ahead", remedy)
    elif least is not None:
        yield fine(CLOCK, f"the log is not ahead; the quickest of late reads came {least / SECOND:.3f} s after")


def _least_delay() -> int | None:
    """The shortest time (µs) from a record's append to its being read, among the last batches."""
    batches = dict(Batch.objects.order_by("-id").values_list("id", "read_at")[:LAST])
    if not batches:
        return None
    first = min(batches) * SEGMENTS_A_BATCH
    reached: dict[int, int] = {}
    for segment, last_at in Segment.objects.filter(id__gte=first).values_list("id", "last_at"):
        batch = segment // SEGMENTS_A_BATCH
        reached[batch] = max(last_at, reached.get(batch, last_at))
    return min((batches[batch] - at for batch, at in reached.items() if batch in batches), default=None)


def retention() -> Iterator[Finding]:
    """How far back stored records reach; they are kept until somebody deletes them."""
    row = Segment.objects.aggregate(first=Min("first_at"), count=Count("id"))
    if row["first"] is not None:
        yield fine("records", f"{row['count']} segments, the oldest from {words(database_now() - row['first'])} ago")
