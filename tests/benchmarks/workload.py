"""A made-up load for measurements: runs of a hundred tasks in four stages, several at a time, eight events a task.

Deterministic: the same seed gives the same records, ids included. Three tasks in a hundred fail once and are
tried again, one in two hundred fails for good.
"""

import heapq
import random
import uuid
from collections.abc import Iterator
from typing import Any

from coordination.encoding import new_event
from coordination.eventlog import NewRecord
from coordination.foldkeys import fold_key
from coordination.manifest import Manifest

START = 1_790_000_000_000_000
STAGES = ("plan", "research", "write", "review")


class Workload:
    """Endless runs; `records(count)` gives the next ones in the order in which they would be appended."""

    def __init__(
        self,
        *,
        seed: int = 1,
        namespace: str = "coord",
        live_runs: int = 20,
        tasks: int = 100,
        start: int = START,
        spacing: int = 400_000,
    ) -> None:
        self._random = random.Random(seed)
        self._manifest = Manifest(namespace)
        self._tasks = tasks
        self._spacing = spacing
        self._sequence = 0
        self._queue: list[tuple[int, int, Iterator[tuple[int, NewRecord]], NewRecord]] = []
        for number in range(live_runs):
            self._begin(start + number * spacing * tasks // max(1, live_runs))

    def records(self, count: int) -> list[NewRecord]:
        """The next `count` records."""
        return [self._next() for _ in range(count)]

    def _begin(self, at: int) -> None:
        self._push(iter(sorted(self._run(at), key=lambda pair: pair[0])))

    def _push(self, events: Iterator[tuple[int, NewRecord]]) -> bool:
        following = next(events, None)
        if following is not None:
            self._sequence += 1
            heapq.heappush(self._queue, (following[0], self._sequence, events, following[1]))
        return following is not None

    def _next(self) -> NewRecord:
        at, _, events, record = heapq.heappop(self._queue)
        if not self._push(events):
            self._begin(at)
        return record

    def _id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=7 if hasattr(uuid, "uuid7") else 4))

    def _event(self, name: str, at: int, data: Any, **attributes: Any) -> tuple[int, NewRecord]:
        return at, new_event(
            name,
            source="/bench/agents/agent-1/i-1",
            time=at,
            id=self._id(),
            data=data,
            manifest=self._manifest,
            **attributes,
        )

    def _run(self, at: int) -> Iterator[tuple[int, NewRecord]]:
        run_id, last = self._id(), at
        yield self._event("run.started", at, {"name": f"run {run_id[:4]}", "workflow": "bench"}, run_id=run_id)
        keys: list[str] = []
        parents: list[str] = [""]
        for stage, name in enumerate(STAGES):
            key = fold_key(name, name, keys[-1:])
            members = 1 if stage == 0 else max(1, (self._tasks - 1) // (len(STAGES) - 1))
            begin, made = last, []
            for index in range(members):
                task_id = self._id()
                made.append(task_id)
                for event in self._task(
                    run_id, task_id, name, key, parents[index % len(parents)], begin + index * self._spacing // 10
                ):
                    last = max(last, event[0])
                    yield event
            keys.append(key)
            parents = made
        yield self._event("run.completed", last + 1000, {}, run_id=run_id)

    def _task(
        self, run_id: str, task_id: str, kind: str, key: str, parent: str, at: int
    ) -> Iterator[tuple[int, NewRecord]]:
        place: dict[str, Any] = {"run_id": run_id, "task_id": task_id, "causation": self._id()}
        who: dict[str, Any] = {"agent_id": f"{kind}-1", "agent_group": kind, **place}
        step = self._random.randrange(20_000, 80_000)
        command = {"task_type": kind, "title": f"{kind} {task_id[:4]}", "input": {"text": task_id * 3}}
        yield self._event(
            "task.requested",
            at,
            command,
            target_group=kind,
            fold_key=key,
            parent_task_id=parent,
            idempotency_key=task_id,
            **place,
        )
        yield self._event("task.accepted", at + step, {}, **who)
        attempt = 1
        yield self._event("task.started", at + 2 * step, {}, attempt=attempt, **who)
        if self._random.random() < 0.03:
            yield self._event(
                "task.attempt.failed",
                at + 3 * step,
                {"error": {"type": "Timeout", "message": "no answer after 30 s"}},
                attempt=attempt,
                **who,
            )
            attempt = 2
            yield self._event("task.started", at + 4 * step, {}, attempt=attempt, **who)
        model = {"model": "large-1", "tokens_in": 900, "tokens_out": 120, "cost": "0.0021", "duration_ms": 812}
        yield self._event("model.call.completed", at + 5 * step, model, attempt=attempt, **who)
        call = {"tool_call_id": self._id(), "tool_name": "search"}
        yield self._event("tool.call.started", at + 6 * step, call, attempt=attempt, **who)
        yield self._event("tool.call.completed", at + 7 * step, {**call, "duration_ms": 95}, attempt=attempt, **who)
        yield self._event("task.progressed", at + 8 * step, {}, attempt=attempt, **who)
        if self._random.random() < 0.005:
            error = {"error": {"type": "ValueError", "message": f"row {self._random.randrange(999)} is empty"}}
            yield self._event("task.failed", at + 9 * step, error, attempt=attempt, **who)
        else:
            yield self._event(
                "task.completed", at + 9 * step, {"output": {"text": task_id * 3}}, attempt=attempt, **who
            )
