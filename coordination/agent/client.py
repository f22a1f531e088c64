"""Starting runs and asking for tasks from outside: a web hook, a schedule, a person at a prompt."""

from typing import Any
from uuid import uuid4

from coordination.agent.keys import child_id, idempotency_key
from coordination.agent.voice import Clock, Identity, Voice, system_clock
from coordination.eventlog import EventLog
from coordination.events import run, task
from coordination.foldkeys import fold_key
from coordination.instants import MICROSECONDS
from coordination.manifest import Manifest


class Client:
    """Speaks as `name` (a-z, 0-9, hyphens); every call returns when the log has it."""

    def __init__(
        self,
        log: EventLog,
        name: str,
        *,
        tenant: str = "default",
        deployment: str = "lineside",
        manifest: Manifest | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._log = log
        identity = Identity(name, name, uuid4().hex[:8], tenant=tenant, deployment=deployment)
        self._voice = Voice(identity, manifest or Manifest(), clock)

    async def start_run(
        self,
        run_id: str,
        task_type: str,
        group: str,
        *,
        name: str = "",
        workflow: str = "",
        trigger: str = "",
        input: Any = None,  # noqa: A002 - the protocol's own word
    ) -> str:
        """Start a run with its root task; returns the task's id. The same run id again starts nothing new."""
        data = run.RunStarted(name=name, workflow=workflow or task_type, trigger=trigger, input=input)
        started = self._voice.say("run.started", run_id=run_id, data=data)
        task_id = child_id(run_id, "root", task_type)
        command = self._voice.say(
            "task.requested",
            run_id=run_id,
            data=task.TaskRequested(task_type=task_type, title=name, input=input),
            task_id=task_id,
            target_group=group,
            fold_key=fold_key(task_type, group),
            idempotency_key=idempotency_key(run_id, "root"),
            causation=started.event_id,
        )
        await self._log.append([started.record, command.record])
        return task_id

    async def request(
        self,
        run_id: str,
        task_type: str,
        group: str,
        *,
        task_id: str = "",
        title: str = "",
        input: Any = None,  # noqa: A002 - the protocol's own word
        expires_in: float | None = None,
        key: str = "",
    ) -> str:
        """Ask a group for a task; returns its id. Give `task_id` and `key` when the request may be repeated."""
        task_id = task_id or child_id(run_id, uuid4().hex, task_type)
        said = self._voice.say(
            "task.requested",
            run_id=run_id,
            data=task.TaskRequested(task_type=task_type, title=title, input=input),
            task_id=task_id,
            target_group=group,
            fold_key=fold_key(task_type, group),
            idempotency_key=key or idempotency_key(run_id, task_id),
            expiry_at=None if expires_in is None else self._voice.clock() + int(expires_in * MICROSECONDS),
        )
        await self._log.append([said.record])
        return task_id

    async def cancel(self, run_id: str, task_id: str, group: str, reason: str = "") -> None:
        """Ask the group that has a task to stop it."""
        data = task.TaskCancelRequested(reason=reason)
        await self._ask("task.cancel.requested", run_id, task_id, group, data)

    async def compensate(self, run_id: str, task_id: str, group: str, reason: str = "") -> None:
        """Ask the group that did a task to undo it."""
        data = task.TaskCompensationRequested(reason=reason)
        await self._ask("task.compensation.requested", run_id, task_id, group, data)

    async def _ask(self, name: str, run_id: str, task_id: str, group: str, data: Any) -> None:
        said = self._voice.say(
            name,
            run_id=run_id,
            data=data,
            task_id=task_id,
            target_group=group,
            idempotency_key=idempotency_key(name, task_id, uuid4().hex),
        )
        await self._log.append([said.record])
