"""One batch under way: rows as they are touched, and the counts that follow from them at its end."""

from collections.abc import Mapping
from typing import Any, Protocol

from coordination.agents import Agent
from coordination.counting import Counted, add_work, counted, keep_failure, move
from coordination.event import Event
from coordination.fanouts import FanOut
from coordination.requests import Request
from coordination.rows import AgentKey, FanOutKey, FoldKey, Rows, TaskKey, Touched
from coordination.runs import FoldPart, RunPart, tenant_rank
from coordination.tasks import Task


class Revised(Protocol):
    """A row that counts the batches that touched it."""

    revision: int


class Batch:
    """The rows of one batch. `shard`, `family` and `dead` (a dead letter topic) are those of the partition that
    `enter` was called for.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.parts: dict[str, RunPart] = {}
        self.shard, self.family, self.dead = "", "", False
        self.tasks: dict[TaskKey, Task] = {}
        self.before: dict[TaskKey, Counted | None] = {}
        self.parts_of: dict[str, dict[str, RunPart]] = {}
        self.fold_parts: dict[FoldKey, FoldPart] = {}
        self.fan_outs: dict[FanOutKey, FanOut] = {}
        self.requests: dict[str, Request] = {}
        self.agents: dict[AgentKey, Agent] = {}

    def enter(self, topic: str, partition: int) -> dict[str, RunPart]:
        """The next events are from this partition; the parts of its shard by run, as they are touched."""
        self.shard, self.family = self.rows.layout.place(topic, partition)
        self.dead = self.family.startswith("dlq")
        self.parts = self.parts_of.setdefault(self.shard, {})
        return self.parts

    def task(self, event: Event) -> Task:
        """The task an event is about, made if it was unknown."""
        key = (event.run_id, event.task_id)
        task = self.tasks.get(key) or self._touch_task(key)
        if event.tenant != task.tenant:
            task.tenant = min(task.tenant, event.tenant, key=tenant_rank)
        if event.derived:
            task.derived_times = True
        if task.shard != self.shard and task.command_offset is None:
            task.shard = min(task.shard, self.shard) if task.shard else self.shard
        return task

    def _touch_task(self, key: TaskKey) -> Task:
        task = self.rows.tasks.get(key)
        if task is None:
            task = self.rows.tasks[key] = Task(run_id=key[0], task_id=key[1])
            self.before[key] = None
        else:
            self.before[key] = counted(task)
        self.tasks[key] = task
        return task

    def run_part(self, run_id: str, shard: str) -> RunPart:
        """A part of a run, made if it was unknown."""
        parts = self.parts_of.setdefault(shard, {})
        part = parts.get(run_id)
        if part is None:
            part = self.rows.run_parts.get((run_id, shard))
            if part is None:
                part = self.rows.run_parts[run_id, shard] = RunPart(run_id=run_id, shard=shard)
            parts[run_id] = part
        return part

    def fold_part(self, run_id: str, fold_key: str, shard: str) -> FoldPart:
        """A part of a fold, made if it was unknown."""
        key = (run_id, fold_key, shard)
        part = self.fold_parts.get(key) or self.rows.fold_parts.get(key)
        if part is None:
            part = FoldPart(run_id=run_id, fold_key=fold_key, shard=shard)
            self.rows.fold_parts[key] = part
        self.fold_parts[key] = part
        return part

    def fan_out(self, event: Event, fanout_id: str) -> FanOut:
        """A fan-out, made if it was unknown."""
        key = (event.run_id, fanout_id)
        row = self.rows.fan_outs.get(key)
        if row is None:
            row = self.rows.fan_outs[key] = FanOut(run_id=event.run_id, fanout_id=fanout_id)
        self.fan_outs[key] = row
        row.tenant = min(row.tenant, event.tenant, key=tenant_rank)
        row.derived_times = row.derived_times or event.derived
        return row

    def request(self, event: Event, approval_id: str) -> Request:
        """An approval request, made if it was unknown; until it is read, run and task are those of its facts."""
        row = self.rows.requests.get(approval_id)
        if row is None:
            row = self.rows.requests[approval_id] = Request(approval_id=approval_id)
        self.requests[approval_id] = row
        row.tenant = min(row.tenant, event.tenant, key=tenant_rank)
        row.derived_times = row.derived_times or event.derived
        if row.version == 0:
            row.run_id = min(filter(None, (row.run_id, event.run_id)), default="")
            row.task_id = min(filter(None, (row.task_id, event.task_id)), default="")
        return row

    def agent(self, event: Event, agent_group: str) -> Agent:
        """An agent, made if it was unknown."""
        key = (agent_group, event.agent_id)
        row = self.rows.agents.get(key)
        if row is None:
            row = self.rows.agents[key] = Agent(agent_group=agent_group, agent_id=event.agent_id)
        self.agents[key] = row
        row.tenant = min(row.tenant, event.tenant, key=tenant_rank)
        return row

    def close(self) -> Touched:
        """Settle states and counts, raise revisions, and say what was touched."""
        for key, task in self.tasks.items():
            task.state = task.fact_state or ("unknown" if task.command_offset is None else "requested")
            task.revision += 1
            if task.run_id:
                self._recount(task, self.before[key])
                self._keep_failures(task)
        run_parts = {part.key: part for parts in self.parts_of.values() for part in parts.values()}
        rows: tuple[Mapping[Any, Revised], ...]
        rows = run_parts, self.fold_parts, self.fan_outs, self.requests, self.agents
        for one in rows:
            for row in one.values():
                row.revision += 1
        return Touched(
            tasks=set(self.tasks),
            run_parts=set(run_parts),
            fan_outs=set(self.fan_outs),
            requests=set(self.requests),
            agents=set(self.agents),
            gone=(gone := self._drop_empty()),
            fold_parts=self.fold_parts.keys() - gone,
        )

    def _recount(self, task: Task, before: Counted | None) -> None:
        after = counted(task)
        if before == after:
            return
        if before is not None and before[:2] == after[:2]:
            self._restate(task, before, after)
            return
        for one, sign in ((before, -1), (after, 1)):
            if one is not None:
                run = self.run_part(task.run_id, one.shard)
                fold = self.fold_part(task.run_id, one.fold_key, one.shard)
                run.total += sign
                fold.total += sign
                for part in (run, fold):
                    move(part.counts, one.state if sign < 0 else None, one.state if sign > 0 else None)
                add_work(run, one.work, sign)

    def _restate(self, task: Task, before: Counted, after: Counted) -> None:
        run = self.run_part(task.run_id, after.shard)
        if before.state != after.state:
            move(run.counts, before.state, after.state)
            move(self.fold_part(task.run_id, after.fold_key, after.shard).counts, before.state, after.state)
        if before.work != after.work:
            add_work(run, before.work, -1)
            add_work(run, after.work, 1)

    def _keep_failures(self, task: Task) -> None:
        if task.failed_at is None and not task.others:
            return
        first: dict[str, int] = {}
        for track in task.tracks:
            if track.failed_at is not None:
                shard = self.rows.layout.shard(track.topic, track.partition)
                first[shard] = min(first.get(shard, track.failed_at), track.failed_at)
        for shard, failed_at in first.items():
            keep_failure(self.run_part(task.run_id, shard), task, failed_at)

    def _drop_empty(self) -> set[FoldKey]:
        gone = {key for key, part in self.fold_parts.items() if part.total == 0 and part.sample is None}
        for key in gone:
            del self.rows.fold_parts[key]
        return gone
