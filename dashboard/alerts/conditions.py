"""What is so now that somebody should look at: stalled and slow groups, retention, failed runs, overdue approvals.

A healthy group never appears here: verdicts decide, and they know thinking from standing still. Lag that people make
is no group's alert: overdue approvals are their own.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from coordination.lag import Limits, words
from dashboard.api.addresses import address, task_address
from dashboard.api.queue import open_requests, request_of
from dashboard.models import ConsumerGroup, Run

STALLED: Final = ("stuck", "unassigned", "lost", "flapping", "rewound")
SLOW: Final = "slow"
DAY: Final = 24 * 3600 * 1_000_000
MOST: Final = 200


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is so: what kind, about what, in words; `facts` for the record on the log."""

    kind: str
    subject: str
    title: str
    cause: str
    link: str
    severity: str = "warning"
    tenant: str = ""
    facts: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """One incident is open for a key at a time."""
        return self.kind, self.subject


def conditions(now: int) -> Iterator[Condition]:
    """All that is so at `now` (µs)."""
    yield from _groups(now)
    yield from _runs(now)
    yield from _approvals(now)


def polled(now: int) -> bool:
    """Whether the last poll is young enough to believe; else nothing is said about groups, good or bad."""
    newest = ConsumerGroup.objects.order_by("-taken_at").values_list("taken_at", flat=True).first()
    return newest is not None and now - newest <= 2 * Limits().stale


def _groups(now: int) -> Iterator[Condition]:
    for group in ConsumerGroup.objects.exclude(agent_group="").filter(taken_at__gte=now - 2 * Limits().stale):
        row = msgspec.json.decode(group.body)
        verdict, name = row["verdict"], group.agent_group
        about = {"subject": name, "link": address("agents", name)}
        facts = (
            ("waiting", row.get("waiting")),
            ("age_ms", group.age_ms),
            ("verdict", verdict["state"]),
            ("facts", [f"{fact['name']}: {fact['value']}" for fact in verdict["facts"]]),
        )
        if verdict["state"] in STALLED:
            title = f"{name} is {verdict['state']}"
            yield Condition(
                kind="stalled", title=title, cause=verdict["reason"], severity="critical", facts=facts, **about
            )
        elif verdict["state"] == SLOW:
            yield Condition(kind="lag", title=f"{name} does not keep up", cause=verdict["reason"], facts=facts, **about)
        clock = row.get("retention")
        if clock and clock["soon"]:
            cause = f"the oldest waiting record of {clock['topic']}-{clock['partition']} is deleted in {clock['text']}"
            title = f"{name} will lose waiting records"
            yield Condition(kind="retention", title=title, cause=cause, severity="critical", facts=facts, **about)


def _runs(now: int) -> Iterator[Condition]:
    found = Run.objects.filter(state="failed", ended_at__gte=now - DAY).order_by("-ended_at")[:MOST]
    for run in found:
        first = run.first_cause or {}
        error = ": ".join(part for part in (first.get("error_type"), first.get("error_message")) if part)
        cause = error.partition("\n")[0] or "no error text was sent"
        task = first.get("task_id")
        link = task_address(run.run_id, task) if task else address("runs", run.run_id)
        title = f"{run.name or run.run_id} failed"
        yield Condition(kind="run", subject=run.run_id, title=title, cause=cause, link=link, tenant=run.tenant)


def _approvals(now: int) -> Iterator[Condition]:
    for row in open_requests().filter(due_at__lt=now).order_by("due_at")[:MOST]:
        request = request_of(row)
        name = getattr(request, "title", "") or row.approval_id
        yield Condition(
            kind="approval",
            subject=row.approval_id,
            title=f"{name} is overdue",
            cause=f"a decision was due {words(now - (row.due_at or now))} ago",
            link=address("approvals", row.approval_id),
            tenant=request.tenant,
        )
