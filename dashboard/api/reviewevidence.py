"""The third column of a review: chain, attempts, facts the agent cannot write, cost, how such requests went before."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Count, Q

from coordination.lag import words
from coordination.requests import Request as RequestRow
from coordination.visible import visible
from dashboard.api.chain import chain
from dashboard.api.reviewpage import Review
from dashboard.api.taskbody import task_of
from dashboard.approvals.review import hash_of
from dashboard.models import Agent, Approval, ConsumerGroup, Decision, Run, Task

DAY: Final = 86_400_000_000


def evidence(found: Review, now: int) -> dict[str, Any]:
    """All of it, for somebody who may see runs."""
    request = found.request
    task = Task.objects.filter(run_id=request.run_id, task_id=request.task_id).first()
    run = Run.objects.filter(run_id=request.run_id).first()
    whole = task_of(task) if task else None
    return {
        "why": [visible(reason) for reason in request.risk_reasons],
        "chain": chain(whole) if whole else [],
        "task": whole,
        "run": run,
        "facts": _facts(found, now),
        "history": _history(found, now),
    }


def _facts(found: Review, now: int) -> list[tuple[str, str]]:
    request = found.request
    agent = Agent.objects.filter(agent_group=request.agent_group).order_by("-last_heartbeat_at").first()
    group = ConsumerGroup.objects.filter(agent_group=request.agent_group).first()
    beat = agent.last_heartbeat_at if agent else None
    same = hash_of(found.action) == request.content_hash
    return [
        ("Hash over what is shown", "matches the request" if same else "differs from the request"),
        ("Last heartbeat of the group", "none seen" if beat is None else f"{words(max(0, now - beat))} ago"),
        ("Tasks waiting before the group", "unknown" if group is None or group.waiting is None else str(group.waiting)),
        ("Verdict on the group", group.verdict if group else "unknown"),
        ("Claimed risk", request.risk or "none claimed"),
    ]


def _history(found: Review, now: int) -> list[tuple[str, str]]:
    """How requests of the same agent group went in the last 30 days, by people, by rules and by time."""
    since = now - 30 * DAY
    group = found.request.agent_group
    ours = Approval.objects.filter(agent_group=group, decided_at__gte=since)
    ended = dict(ours.exclude(state="pending").values_list("state").annotate(Count("approval_id")))
    if not ended:
        return []
    verdicts = _verdicts(ours, found.request)
    rows = [
        (
            "Approved, edited, rejected",
            ", ".join(f"{verdicts.get(word, 0):,}" for word in ("approve", "edit", "reject")),
        )
    ]
    return rows + [(word.capitalize(), f"{ended[word]:,}") for word in ("expired", "withdrawn") if word in ended]


def _verdicts(ours: Any, request: RequestRow) -> Mapping[str, int]:
    ids = list(ours.order_by("-decided_at").values_list("approval_id", flat=True)[:500])
    decided = Decision.objects.filter(Q(kind="decision") & ~Q(state="undone"), approval_id__in=ids)
    return dict(decided.values_list("verdict").annotate(Count("decision_id")))
