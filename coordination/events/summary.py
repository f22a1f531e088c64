"""Data of the compacted state topics: the current summary of a task, a run or an agent."""

import msgspec

from coordination.events.shapes import Count, Data


class SummaryUpdated(Data, frozen=True, gc=False, kw_only=True):
    """`version` grows by one per update; `as_of` is {topic: {partition: next offset}} the summary is true for."""

    state: str
    version: Count
    as_of: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)


class TaskSummaryUpdated(SummaryUpdated, frozen=True, gc=False, kw_only=True):
    """The current summary of a task."""

    task_type: str = ""
    title: str = ""
    agent_group: str = ""
    attempt: Count = 0


class RunSummaryUpdated(SummaryUpdated, frozen=True, gc=False, kw_only=True):
    """The current summary of a run; `counts` is {task state: number}."""

    name: str = ""
    workflow: str = ""
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class AgentSummaryUpdated(SummaryUpdated, frozen=True, gc=False, kw_only=True):
    """The current summary of an agent."""

    agent_group: str = ""
    running: tuple[str, ...] = ()
