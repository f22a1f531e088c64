"""Rows for the tests of pages and API, as ingest would have written them: people, runs, tasks, groups, letters."""

from typing import Any

import msgspec
from django.contrib.auth.models import Permission, User
from django.test import Client

from coordination.events.shapes import Failure
from coordination.fanouts import FanOut as FanOutRow
from coordination.runs import FoldPart as FoldPartRow
from coordination.runs import RunPart as RunPartRow
from coordination.runs import Sample
from coordination.tasks import Attempt
from coordination.tasks import Task as TaskRow
from dashboard.ingest.tables import TASKS
from dashboard.models import (
    ConsumerGroup,
    DeadLetter,
    FanOut,
    FoldPart,
    Position,
    Rejected,
    Run,
    RunPart,
    Task,
    Worker,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOW = 1_790_000_000_000_000


def member(name: str = "lena", *rights: str) -> User:
    """A user with these rights; `all` gives every one."""
    user = User.objects.create_user(name)
    wanted = Permission.objects.filter(content_type__app_label="dashboard")
    user.user_permissions.set(wanted if "all" in rights else wanted.filter(codename__in=rights))
    return User.objects.get(pk=user.pk)


def signed_in(user: User) -> Client:
    """A browser in which this user is signed in."""
    client = Client()
    client.force_login(user)
    return client


def viewer() -> Client:
    """A browser of somebody who may see and do everything."""
    return signed_in(member("viewer", "all"))


def run(run_id: str = "run-1", **fields: Any) -> Run:
    """A run's summary and its part."""
    given: dict[str, Any] = {
        "name": "Investigate INC-1",
        "workflow": "incident",
        "state": "working",
        "first_at": NOW,
        "started_at": NOW,
        "counts": {"completed": 3, "working": 2},
        "revision": 1,
    } | fields
    given.setdefault("total", sum(given["counts"].values()))
    part = RunPartRow(run_id=run_id, shard="12-0", state=given["state"], name=given["name"], input={"secret": "input"})
    RunPart.objects.create(run_id=run_id, shard="12-0", revision=1, body=msgspec.json.encode(part).decode())
    return Run.objects.create(run_id=run_id, **given)


def task(task_id: str = "task-1", run_id: str = "run-1", **fields: Any) -> TaskRow:
    """A task row, kept."""
    given: dict[str, Any] = {
        "state": "working",
        "task_type": "research",
        "title": f"title of {task_id}",
        "agent_group": "researcher",
        "fold_key": "f-research",
        "requested_at": NOW,
        "command_topic": "coord.run.task.commands",
        "command_partition": 4,
        "command_offset": 100,
        "revision": 1,
    } | fields
    row = TaskRow(run_id=run_id, task_id=task_id, **given)
    names = [name for name, _ in TASKS.all_columns]
    values = (*TASKS.values(row), row.revision, msgspec.json.encode(row).decode())
    Task.objects.create(**dict(zip(names, values, strict=True)))
    return row


def failed_task(task_id: str = "task-1", run_id: str = "run-1", **fields: Any) -> TaskRow:
    """A task that failed at its second attempt."""
    attempts = tuple(
        Attempt(
            number=number,
            agent_id=f"researcher-{number}",
            started_at=NOW + number * MINUTE,
            ended_at=NOW + number * MINUTE + 30 * SECOND,
            outcome="failed",
            error_type="HTTPError",
            error_message="410 gone",
        )
        for number in (1, 2)
    )
    return task(
        task_id,
        run_id,
        **{
            "state": "failed",
            "attempt": 2,
            "attempts": attempts,
            "started_at": NOW + MINUTE,
            "ended_at": NOW + 2 * MINUTE + 30 * SECOND,
            "error": Failure(type="HTTPError", message="410 gone\nthe endpoint was removed", stack="Traceback …"),
        }
        | fields,
    )


def fold(fold_key: str, counts: dict[str, int], run_id: str = "run-1", shard: str = "12-0", **fields: Any) -> None:
    """A part of a fold."""
    sample = fields.pop("sample", Sample(task_id=f"{fold_key}-0", task_type=fold_key, agent_group="researcher"))
    part = FoldPartRow(
        run_id=run_id,
        fold_key=fold_key,
        shard=shard,
        counts=counts,
        total=sum(counts.values()),
        sample=sample,
        first_at=fields.pop("first_at", NOW),
        revision=1,
        **fields,
    )
    body = msgspec.json.encode(part).decode()
    kind = {"agent_group": part.agent_group, "task_type": part.task_type}
    FoldPart.objects.create(run_id=run_id, fold_key=fold_key, shard=shard, revision=1, body=body, **kind)


def fan_out(fanout_id: str, run_id: str = "run-1", **fields: Any) -> FanOutRow:
    """A fan-out row, kept."""
    mark = ("coord.run.workflow.events", 0, 1)
    row = FanOutRow(run_id=run_id, fanout_id=fanout_id, opened_at=NOW, opened_mark=mark, **fields)
    body = msgspec.json.encode(row).decode()
    FanOut.objects.create(run_id=run_id, fanout_id=fanout_id, revision=1, body=body)
    return row


def group(name: str = "payer", verdict: str = "stuck", *, taken_at: int = NOW, **fields: Any) -> dict[str, Any]:
    """A consumer group as the last poll left it; returns the body."""
    body: dict[str, Any] = {
        "kind": "group",
        "id": f"agent.{name}",
        "revision": taken_at,
        "group": name,
        "verdict": {
            "state": verdict,
            "reason": "12 wait and none started",
            "facts": [{"name": "limit", "value": "2 m"}],
        },
        "waiting": 12,
        "unknown_partitions": 1,
        "offset_gap": 14,
        "running": 1,
        "age_seconds": 1121.0,
        "eta": "not catching up",
        "in_per_minute": 0.4,
        "out_per_minute": 0,
        "members": 2,
        "member_names": [f"{name}-1", f"{name}-2"],
        "partitions": [partition(3, waiting=12, commit=20_114), partition(5, waiting=None, commit=None)],
        "as_of": "2026-09-21T14:13:20.000000Z",
    } | fields
    ConsumerGroup.objects.create(
        group=f"agent.{name}",
        agent_group=name,
        taken_at=taken_at,
        verdict=verdict,
        waiting=body["waiting"],
        revision=taken_at,
        body=msgspec.json.encode(body).decode(),
    )
    return body


def partition(number: int, *, waiting: int | None, commit: int | None, state: str = "behind") -> dict[str, Any]:
    """One partition in a group's body."""
    return {
        "topic": "coord.run.task.commands",
        "partition": number,
        "state": state,
        "commit": commit,
        "begin": 0,
        "end": None if commit is None else commit + (waiting or 0),
        "waiting": waiting,
        "age_seconds": None if waiting is None else 1121.0,
        "member": "payer-2",
    }


def dead_letter(offset: int = 1, **fields: Any) -> DeadLetter:
    """A record that an agent gave up."""
    given: dict[str, Any] = {
        "topic": "dlq.coord.run",
        "partition": 0,
        "offset": offset,
        "at": NOW + offset,
        "run_id": "run-1",
        "task_id": "task-1",
        "agent_group": "researcher",
        "origin_topic": "coord.run.task.commands",
        "origin_partition": 4,
        "origin_offset": 100,
        "exception": "HTTPError",
        "message": "410 gone",
        "deliveries": 5,
        "record": b"",
    } | fields
    return DeadLetter.objects.create(**given)


def rejected(offset: int = 1, **fields: Any) -> Rejected:
    """A record that is no event."""
    given: dict[str, Any] = {
        "topic": "coord.run.task.events",
        "partition": 7,
        "offset": offset,
        "at": NOW + offset,
        "stage": "envelope",
        "attribute": "ce_time",
        "reason": "ce_time is not an RFC 3339 time",
        "record": b"",
    } | fields
    return Rejected.objects.create(**given)


def position(topic: str = "coord.run.task.events", partition: int = 0, **fields: Any) -> Position:
    """How far ingest has read a partition."""
    given: dict[str, Any] = {"next_offset": 10, "records": 10, "shard": "12-0", "last_at": NOW, "end_offset": 10}
    return Position.objects.create(topic=topic, partition=partition, **(given | {"end_at": NOW} | fields))


def worker(lease_until: int) -> Worker:
    """A worker that ingests until its lease ends."""
    return Worker.objects.create(worker_id="w-1", role="ingest", started_at=NOW, lease_until=lease_until)
