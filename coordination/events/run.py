"""Data of run events: one execution of a workflow starts, completes, fails or is canceled."""

from typing import Any

from coordination.events.shapes import Data, Failure
from coordination.instants import Instant


class RunStarted(Data, frozen=True, gc=False, kw_only=True):
    """`name` is for people, `workflow` the kind of run that trends compare, `trigger` what set it off."""

    name: str = ""
    workflow: str = ""
    trigger: str = ""
    input: Any = None
    input_ref: str | None = None
    deadline: Instant | None = None


class RunCompleted(Data, frozen=True, gc=False, kw_only=True):
    """The run's result: a small one inline, a large one by reference."""

    output: Any = None
    output_ref: str | None = None


class RunFailed(Data, frozen=True, gc=False, kw_only=True):
    """`task_id` names the task that made the run fail, where the runtime knows it."""

    error: Failure | None = None
    reason: str = ""
    task_id: str = ""


class RunCanceled(Data, frozen=True, gc=False, kw_only=True):
    """`terminated`: stopped from outside without the workflow's own doing."""

    reason: str = ""
    terminated: bool = False
