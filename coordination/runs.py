"""Runs and folds as partial rows, one per shard, and how the parts make a whole.

A run's tasks are spread over all partitions; a worker writes only the parts of its own shards, so no two
workers write one row (counts are summed when they are read). The facts of the run itself (`run.started` …)
stand on the run's home shard.
"""

from typing import Any, Final

import msgspec

from coordination.tasks import Anomaly, Failure

MAX_FAILURES: Final = 5
MAX_FANOUTS: Final = 7


class FailedTask(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """A task that failed at least once: `failed_at` its first failure, `state` what it is now."""

    failed_at: int
    task_id: str
    state: str
    agent_group: str = ""
    parent_task_id: str = ""
    title: str = ""
    error_type: str = ""
    error_message: str = ""
    attempts: int = 0


class RunPart(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one shard knows of a run. `counts` and `total` count the tasks of this shard by shown state,
    `events` all records; `failures` are the earliest tasks that ever failed, with their state of now.
    The fields from `name` on come from run.* facts; `state` is empty where none was read.
    """

    run_id: str
    shard: str
    tenant: str = ""
    counts: dict[str, int] = {}
    total: int = 0
    first_at: int | None = None
    last_at: int | None = None
    events: int = 0
    unknown_events: int = 0
    tool_calls: int = 0
    model_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: int = 0
    failures: list[FailedTask] = []
    derived_times: bool = False
    name: str = ""
    workflow: str = ""
    state: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    error: Failure | None = None
    input: Any = None
    output: Any = None
    facts: int = 0
    anomalies: list[Anomaly] = []
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (run_id, shard)."""
        return self.run_id, self.shard


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One member of a fold, to read from it what the fold depends on."""

    task_id: str
    parent_task_id: str = ""
    depends_on: tuple[str, ...] = ()
    title: str = ""


class FoldPart(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one shard knows of a fold: alike tasks of a run, counted by shown state.

    `sample` is the member with the smallest task id, `first_at` the earliest request, `fanouts` the smallest
    ids (at most seven) of the fan-outs its members belong to. The fold with the empty key holds the tasks
    whose command was not read; it has neither sample nor first_at.
    """

    run_id: str
    fold_key: str
    shard: str
    task_type: str = ""
    agent_group: str = ""
    stamped: bool = False
    counts: dict[str, int] = {}
    total: int = 0
    sample: Sample | None = None
    first_at: int | None = None
    fanouts: tuple[str, ...] = ()
    revision: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """The row's key: (run_id, fold_key, shard)."""
        return self.run_id, self.fold_key, self.shard
