"""Why tasks wait: the evidence for `coordination.waiting` out of the tables, for a page of tasks at a time.

The number of queries is the same for one task and for a page of them; pages and API give the same sentence.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from coordination.events.approval import Policy
from coordination.evidence import Ask, Evidence, Input, Queue
from coordination.instants import parse
from coordination.joins import JoinProgress
from coordination.tasks import HUMAN, OPEN, Task
from coordination.waiting import Link, Waiting, why
from dashboard.api.addresses import address, task_address
from dashboard.api.joinlist import joins_by_id
from dashboard.api.queue import open_requests, request_of
from dashboard.api.requestrows import EXPIRY, title_of
from dashboard.approvals.review import standing_of, votes_of
from dashboard.models import Agent, Approval, ConsumerGroup
from dashboard.models import Task as TaskTable

# Children of one page of tasks that are looked at: a parent of thousands is judged by its join.
CHILDREN: Final = 2_000
NEEDED: Final = 2_000


def reasons(tasks: Sequence[Task], now: int) -> dict[str, dict[str, Any]]:
    """Task id -> {reason, text, link} of the open ones among these tasks of one run."""
    waiting = [task for task in tasks if task.state in OPEN]
    if not waiting:
        return {}
    evidence = _Gathered(waiting)
    found = {task.task_id: why(task, evidence.of(task), now) for task in waiting}
    return {task_id: reason_row(waiting[0].run_id, each) for task_id, each in found.items() if each is not None}


def reason_row(run_id: str, found: Waiting) -> dict[str, Any]:
    """The reason as API and pages give it; the sentence begins with a capital."""
    text = found.text[:1].upper() + found.text[1:]
    return {"reason": found.reason, "text": text, "link": link_of(run_id, found.link)}


def link_of(run_id: str, link: Link | None) -> str | None:
    """The page where the evidence stands."""
    if link is None:
        return None
    match link.kind:
        case "task":
            return task_address(run_id, link.id)
        case "approval":
            return address("approvals", link.id)
        case "group":
            return address("agents", link.id)
        case "record":
            return address("records", *link.id.rsplit("/", 2))
        case _:
            return address("runs", run_id)


class _Gathered:
    """What is known around the open tasks of one page."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._run_id = tasks[0].run_id
        self._needs = self._inputs({name for task in tasks for name in task.depends_on[:NEEDED]})
        self._children = self._asked_for([task.task_id for task in tasks if task.state == "working"])
        self._joins = self._opened()
        self._asks = self._open_asks([task.task_id for task in tasks if task.state in HUMAN])
        groups = {task.agent_group for task in tasks if task.agent_group}
        self._groups = {each.agent_group: each for each in ConsumerGroup.objects.filter(agent_group__in=groups)}
        self._beats = {
            (group, agent): at
            for group, agent, at in Agent.objects.filter(agent_group__in=groups).values_list(
                "agent_group", "agent_id", "last_heartbeat_at"
            )
        }

    def of(self, task: Task) -> Evidence:
        """The evidence around one of the tasks."""
        return Evidence(
            needs=[self._needs[name] for name in task.depends_on[:NEEDED] if name in self._needs],
            children=[each for each, _ in self._children.get(task.task_id, ())],
            join=self._joins.get(task.task_id),
            ask=self._asks.get(task.task_id),
            queue=self._queue(task),
            heartbeat_at=self._beats.get((task.agent_group, task.agent_id)),
        )

    def _inputs(self, names: Iterable[str]) -> dict[str, Input]:
        wanted = sorted(names)[:NEEDED]
        rows = TaskTable.objects.filter(run_id=self._run_id, task_id__in=wanted)
        return {each[0]: Input(*each) for each in rows.values_list("task_id", "title", "state")}

    def _asked_for(self, parents: list[str]) -> dict[str, list[tuple[Input, str]]]:
        found: dict[str, list[tuple[Input, str]]] = {}
        if parents:
            # SQLite takes the index only if the query repeats its condition.
            rows = TaskTable.objects.filter(run_id=self._run_id, parent_task_id__in=parents).exclude(parent_task_id="")
            columns = ("parent_task_id", "task_id", "title", "state", "fanout_id")
            for parent, task_id, title, state, fanout in rows.values_list(*columns)[:CHILDREN]:
                found.setdefault(parent, []).append((Input(task_id, title, state), fanout))
        return found

    def _opened(self) -> dict[str, JoinProgress]:
        """The open join of each task whose children are branches of one."""
        opened = {
            fanout: parent
            for parent, children in self._children.items()
            for child, fanout in children
            if fanout and child.state in OPEN
        }
        stands = joins_by_id(self._run_id, sorted(opened)[:20])
        return {opened[fanout]: each for fanout, each in stands.items()}

    def _open_asks(self, task_ids: list[str]) -> dict[str, Ask]:
        if not task_ids:
            return {}
        found = {}
        rows = list(open_requests().filter(run_id=self._run_id, task_id__in=task_ids))
        approvals = Approval.objects.in_bulk([row.approval_id for row in rows])
        for row in rows:
            request, approval = request_of(row), approvals.get(row.approval_id)
            votes = votes_of(approval) if approval is not None else []
            policy = msgspec.convert(request.policy or {}, Policy)
            stands = standing_of(policy, votes, request.on_behalf_of)
            found[row.task_id] = Ask(
                approval_id=row.approval_id,
                title=title_of(request),
                votes=stands.have,
                needed=stands.need,
                groups=stands.missing,
                expires_at=row.expires_at,
                on_expiry=EXPIRY.get(request.on_expiry, ""),
            )
        return found

    def _queue(self, task: Task) -> Queue | None:
        group = self._groups.get(task.agent_group)
        if group is None:
            return None
        body = msgspec.json.decode(group.body)
        where = (task.command_topic, task.command_partition)
        part = next((each for each in body["partitions"] if (each["topic"], each["partition"]) == where), None)
        commit = part.get("commit") if part else None
        return Queue(
            group=task.agent_group,
            commit=commit,
            members=body.get("members"),
            assigned=None if part is None or body.get("members") is None else part.get("member") is not None,
            last_commit_at=parse(body["last_commit_at"]) if body.get("last_commit_at") else None,
        )
