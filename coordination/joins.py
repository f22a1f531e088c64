"""Fan-outs and their joins: the rule, who arrived, who is missing, and whether it can still complete."""

import msgspec

from coordination.tasks import Anomaly


class Branch(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One branch as a workflow fact names it. `outcome` is empty where none was given."""

    index: int
    task_id: str = ""
    outcome: str = ""
    event_id: str = ""


class FanOut(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What `run.workflow.events` say of one fan-out; its members are the Task rows with its id.

    `join` is all, any, quorum or all_settled, `quorum` the number for quorum(n); `expected` is None while
    unsealed. `verdict_at` and `verdict` are the first of fanin.satisfied, .failed and .expired.
    """

    run_id: str
    fanout_id: str
    tenant: str = ""
    shard: str = ""
    parent_task_id: str = ""
    title: str = ""
    join: str = "all"
    quorum: int | None = None
    on_failure: str = ""
    deadline: int | None = None
    branches: tuple[Branch, ...] = ()
    opened_at: int | None = None
    opened_partition: int = -1
    expected: int | None = None
    sealed_at: int | None = None
    sealed_partition: int = -1
    verdict: str = ""
    verdict_at: int | None = None
    verdict_partition: int = -1
    verdict_reason: str = ""
    causes: tuple[Branch, ...] = ()
    late: list[Branch] = []
    derived_times: bool = False
    anomalies: list[Anomaly] = []
    anomaly_count: int = 0
    revision: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The row's key: (run_id, fanout_id)."""
        return self.run_id, self.fanout_id
