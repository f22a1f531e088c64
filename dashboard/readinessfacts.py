"""The facts behind the readiness page, read from the tables: what log and broker have proven in this very system."""

from collections import Counter
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Length

from coordination import readiness
from coordination.events import CATALOGUE
from coordination.manifest import FOREVER, TOPICS
from coordination.readiness import DIMENSIONS, Answer, Finding, Score
from dashboard.manifest import manifest
from dashboard.models import (
    Audit,
    AuditHead,
    ConsumerGroup,
    DeadLetter,
    Decision,
    Duplicate,
    FanOut,
    Gap,
    GroupSnapshot,
    Position,
    ReadinessAnswer,
    Request,
    Run,
    Segment,
    Task,
    TypeCount,
    Worker,
)
from dashboard.policies import keep_days, rules
from dashboard.segments import unpack

DAY: Final = 86_400_000_000
MINUTE: Final = 60_000_000
SAMPLE: Final = 200
AGENTS: Final = "agent."
OURS: Final = "lineside."
REPLAYS: Final = ("tables.rebuilt", "run.replayed", "run.exported", "letter.redriven")


def scores(now: int) -> list[Score]:
    """The six dimensions as they stand."""
    given = {row.question: Answer(row.score, row.reason, row.answered_by, row.at) for row in _answers()}
    found = findings(now)
    return [readiness.judged(each, found[each.key], given.get(each.key)) for each in DIMENSIONS]


def _answers() -> Any:
    return ReadinessAnswer.objects.all()


def findings(now: int) -> dict[str, Finding]:
    """What facts say of each dimension."""
    span = Segment.objects.aggregate(first=Min("first_at"))["first"]
    oldest = None if span is None else max(0.0, (now - span) / DAY)
    watched = _watched_days(now)
    return {
        "criticality": _criticality(),
        "replay": readiness.replay(_replays(), watched, oldest),
        "variance": readiness.variance(_minutes(now)),
        "retention": readiness.retention(keep_days(), oldest, _approval_days()),
        "governance": readiness.governance(_classes(), Request.objects.count(), len(rules())),
        "migration": readiness.migration(len(manifest().mapping.topics), _foreign_groups(), _unknown_types()),
    }


def _criticality() -> Finding:
    tasks = Task.objects.aggregate(all=Count("task_id"), commanded=Count("task_id", filter=~Q(command_topic="")))
    sent = Decision.objects.exclude(published_at=None).count()
    return readiness.criticality(tasks["all"], tasks["commanded"], FanOut.objects.count(), sent)


def _watched_days(now: int) -> float:
    first = TypeCount.objects.aggregate(first=Min("first_at"))["first"]
    return 0.0 if first is None else (now - first) / DAY


def _replays() -> int:
    acts = Audit.objects.filter(act__in=REPLAYS).count()
    told = TypeCount.objects.filter(type__in=("coordination.replay.completed", "coordination.record.redriven"))
    return acts + (told.aggregate(sum=Sum("records"))["sum"] or 0)


def _minutes(now: int) -> list[int]:
    """New tasks of each minute of the last day, as far back as groups were polled."""
    found: Counter[int] = Counter()
    polls = GroupSnapshot.objects.filter(grain=0, taken_at__gte=now - DAY)
    first = polls.aggregate(first=Min("taken_at"))["first"]
    if first is None:
        return []
    for at, arrived in polls.values_list("taken_at", "arrived"):
        found[at // MINUTE] += arrived
    return [found[minute] for minute in range(first // MINUTE, now // MINUTE)]


def _approval_days() -> float | None:
    kept = TOPICS["review.approval.events"].retention_ms
    return None if kept == FOREVER else kept / 86_400_000


def _classes() -> dict[str, int]:
    """How sensitive records say they are, in a sample of the latest ones."""
    found: Counter[str] = Counter()
    for dictionary, blob in Segment.objects.order_by("-id").values_list("dictionary_id", "blob")[:SAMPLE]:
        for record in unpack(dictionary, bytes(blob)):
            for name, value in record.headers:
                if name.lower() == "ce_dataclassification":
                    found[value.decode(errors="replace").lower()[:64]] += 1
    return dict(found)


def _foreign_groups() -> int:
    return ConsumerGroup.objects.exclude(Q(group__startswith=AGENTS) | Q(group__startswith=OURS)).count()


def _unknown_types() -> int:
    known = {entry.type for entry in CATALOGUE.values()}
    return sum(kind not in known for kind in TypeCount.objects.values_list("type", flat=True).distinct())


def checklist(now: int) -> list[dict[str, Any]]:
    """The seven areas: the question, our evidence, whether it is proven, and what would raise it."""
    return [each(now) for each in (_compatibility, _ordering, _retention, _scaling, _cost, _governance, _rollback)]


def _area(name: str, question: str, proven: bool | None, evidence: list[str], raised_by: str) -> dict[str, Any]:
    word = {True: "proven here", False: "open", None: "not known yet"}[proven]
    sign = {True: "done", False: "human", None: "unknown"}[proven]
    row = {"name": name, "question": question, "evidence": evidence, "raised_by": raised_by}
    return row | {"sign": {"sign": sign, "label": word}}


def _compatibility(now: int) -> dict[str, Any]:
    sums = TypeCount.objects.aggregate(records=Sum("records", default=0), rejected=Sum("rejected", default=0))
    unknown = _unknown_types()
    evidence = [
        f"{sums['records']:,} records read as events, {sums['rejected']:,} rejected with their reason.",
        f"{len(CATALOGUE)} event types are declared; {unknown:,} others were met and shown as they are.",
    ]
    proven = None if not sums["records"] else not sums["rejected"]
    hint = "Correct the producers of rejected records; the schemas page names their types."
    return _area("Compatibility", "Do old and new agents understand each other?", proven, evidence, hint)


def _ordering(now: int) -> dict[str, Any]:
    repeats, gaps = Duplicate.objects.count(), Gap.objects.count()
    met = Position.objects.filter(records__gt=0).count()
    evidence = [
        f"{met:,} partitions read in offset order; each position moves only from where it stood.",
        f"{repeats:,} repeated records were recognised and not counted twice; {gaps:,} gaps were found.",
    ]
    hint = "Accept or explain gaps; give agents an idempotent producer and the task's id as key."
    return _area("Ordering", "Does what happened first stand first?", (not gaps) if met else None, evidence, hint)


def _retention(now: int) -> dict[str, Any]:
    first = Segment.objects.aggregate(first=Min("first_at"))["first"]
    days = keep_days()
    lost = Gap.objects.filter(kind="truncated").count()
    evidence = [
        "Nothing is stored yet." if first is None else f"Records reach back {(now - first) / DAY:.1f} days.",
        "Ended runs are kept for ever." if days is None else f"Ended runs are pruned after {days:.0f} days.",
        f"{lost:,} times the log let go of records before they were read.",
    ]
    hint = "State how long runs are kept; keep topics longer than the longest outage of ingest."
    proven = None if first is None else not lost and days is not None
    return _area("Retention", "Is everything kept as long as it must be, and no longer?", proven, evidence, hint)


def _scaling(now: int) -> dict[str, Any]:
    workers = list(Worker.objects.filter(role="ingest", lease_until__gt=now))
    figures: list[dict[str, Any]] = [dict(worker.figures) for worker in workers]
    seconds = sum(each.get("batch_seconds", 0) for each in figures)
    records = sum(each.get("records", 0) for each in figures)
    ends = Position.objects.filter(end_offset__gt=0)
    behind = sum(max(0, (end or 0) - at) for end, at in ends.values_list("end_offset", "next_offset"))
    evidence = [f"{len(workers):,} workers ingest; {behind:,} records are not read yet."]
    if seconds and records:
        evidence.append(f"{records:,} records took {seconds:.1f} s of work: {records / seconds:,.0f} a second.")
    hint = "Add workers (PostgreSQL) up to the number of shards; run python -m tests.benchmarks on your machine."
    return _area("Scaling", "Does it keep up when traffic grows?", behind < 1_000 if workers else None, evidence, hint)


def _cost(now: int) -> dict[str, Any]:
    sample = Segment.objects.order_by("-id")[: SAMPLE * 5]
    sums = Segment.objects.filter(pk__in=list(sample.values_list("pk", flat=True))).aggregate(
        size=Sum(Length("blob")), records=Sum("records")
    )
    spent = Run.objects.aggregate(cost=Sum("cost", default=0), tokens=Sum("tokens", default=0))
    evidence = []
    if sums["records"]:
        evidence.append(f"{sums['size'] / sums['records']:,.0f} bytes stored per record, of the latest ones.")
    if spent["tokens"]:
        evidence.append(f"{spent['tokens']:,} tokens, {spent['cost'] / 1_000_000:,.2f} of model cost in all runs.")
    hint = "Compare with what the same history would cost elsewhere; let agents report tokens and cost."
    proven = bool(spent["tokens"]) if sums["records"] else None
    return _area("Cost", "Is it known what a run costs, and what its history costs?", proven, evidence, hint)


def _governance(now: int) -> dict[str, Any]:
    last = Audit.objects.aggregate(last=Max("number"))["last"] or 0
    head = AuditHead.objects.aggregate(last=Max("number"))["last"] or 0
    evidence = [
        f"{last:,} entries in the audit trail, anchored on the log up to entry {head:,}.",
        f"{len(rules()):,} masking rules are in force; looks behind the mask are in the trail.",
    ]
    hint = "State masking rules, run verify_audit by a timer, keep its last line outside."
    proven = None if not last else bool(head and rules())
    return _area("Governance", "Can it be shown who saw, did and allowed what?", proven, evidence, hint)


def _rollback(now: int) -> dict[str, Any]:
    rebuilt = Audit.objects.filter(act="tables.rebuilt").order_by("-number").first()
    stored = Position.objects.aggregate(sum=Sum("records"))["sum"] or 0
    letters = DeadLetter.objects.filter(state=DeadLetter.State.OPEN).count()
    evidence = [
        f"{stored:,} records can be folded again.",
        "The tables were never rebuilt here." if rebuilt is None else "The tables were rebuilt from stored records.",
        f"{letters:,} dead letters wait to be put back or given up.",
    ]
    hint = "Rebuild once (manage.py rebuild): pages stay up, and it proves that the way back works."
    proven = None if not stored else rebuilt is not None
    return _area("Rollback", "Is there a way back from a bad release or a bad record?", proven, evidence, hint)
