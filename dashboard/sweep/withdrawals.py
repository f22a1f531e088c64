"""Requests nobody needs an answer to any more are withdrawn (approvals.md, rule 13).

Off the badge, kept in history with the reason: the task has ended, another attempt replaced the one that asked, or
every agent of its group has left and none came back. A rolling restart is no reason: the gate of a task outlives
the agent that opened it.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from coordination.agents import Agent as AgentRow
from coordination.tasks import TERMINAL
from dashboard.approvals import records
from dashboard.approvals.announcement import announce
from dashboard.approvals.decisions import put
from dashboard.approvals.review import Review, change, locked
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import Agent, Approval, Task
from dashboard.sweep.timers import AT_ONCE, AUTHOR

SECOND: Final = 1_000_000
GONE: Final = 5 * 60 * SECOND
"""How long (µs) a group must have been without any registered agent."""
_AGENT: Final = msgspec.json.Decoder(AgentRow)


def withdraw_dead() -> int:
    """Withdraw every pending request that has lost its reason; returns how many."""
    now = database_now()
    candidates = [*ended_or_retried(), *of_groups(gone_groups(now))]
    return sum(withdraw(approval_id, version) for approval_id, version in candidates)


def ended_or_retried() -> list[tuple[str, int]]:
    """Pending approvals whose task has ended, or has begun another attempt than the first."""
    tasks = Task.objects.filter(run_id=OuterRef("run_id"), task_id=OuterRef("task_id"))
    found = Approval.objects.filter(state=Approval.State.PENDING).annotate(
        task_state=Subquery(tasks.values("state")[:1]), attempt=Subquery(tasks.values("attempt")[:1])
    )
    moved = found.filter(Q(task_state__in=sorted(TERMINAL)) | Q(attempt__gt=1))
    return list(moved.values_list("approval_id", "version")[: 10 * AT_ONCE])


def gone_groups(now: int) -> set[str]:
    """Agent groups with pending approvals all of whose agents left, the last one long enough ago."""
    groups = set(Approval.objects.filter(state=Approval.State.PENDING).values_list("agent_group", flat=True))
    return {group for group in groups if group and _gone(group, now)}


def of_groups(groups: Iterable[str]) -> list[tuple[str, int]]:
    """Pending approvals of these groups."""
    found = Approval.objects.filter(state=Approval.State.PENDING, agent_group__in=list(groups))
    return list(found.values_list("approval_id", "version")[:AT_ONCE])


def _gone(group: str, now: int) -> bool:
    agents = [_AGENT.decode(row.body) for row in Agent.objects.filter(agent_group=group)]
    left = [agent.deregistered_at for agent in agents]
    return bool(left) and all(at is not None and at <= now - GONE for at in left)


def withdraw(approval_id: str, version: int) -> bool:
    """Withdraw one version if it is still open and still has no reason to be."""
    with transaction.atomic():
        review = locked(approval_id)
        approval = review.approval
        if not review.open or approval.version != version or not (reason := why(review)):
            return False
        approval.state, approval.reason = Approval.State.WITHDRAWN, reason
        approval.decided_at, approval.decided_by = review.now, AUTHOR
        change(approval, "state", "reason", "decided_at", "decided_by")
        made = records.fact(review, "approval.withdrawn", {"reason": reason}, made_of=["withdrawn"], at=review.now)
        put(review, records.id_of(made), [made], kind="withdrawal", verdict="withdrawn")
        enter(AUTHOR, "approval.withdrawn", f"approval/{approval_id}", {"version": version, "reason": reason})
        announce(approval_id)
        return True


def why(review: Review) -> str:
    """Why nobody needs the answer any more; empty if somebody does."""
    approval, fence = review.approval, review.request.fence or 1
    task = Task.objects.defer("body").filter(run_id=approval.run_id, task_id=approval.task_id).first()
    if task is not None and task.attempt > fence:
        return f"Attempt {task.attempt} replaced attempt {fence}."
    # An older attempt's end may be read before the start of the attempt that asks.
    if task is not None and task.state in TERMINAL and task.attempt >= fence:
        return f"The task has ended: {task.state}."
    if approval.agent_group and _gone(approval.agent_group, review.now):
        return f"No agent of the group {approval.agent_group} is registered any more."
    return ""
