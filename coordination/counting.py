"""Counts of a run and of its folds, kept as events arrive, so that a picture of any run costs the same.

Counts are not steps up and down per event, which would depend on the order of the topics: at the end of a
batch, what a task was counted as before is taken off and what it is now is added. So the parts are at any time
a function of the Task rows, whatever the batches were.
"""

from typing import NamedTuple

from coordination.event import Event
from coordination.runs import MAX_FAILURES, MAX_FANOUTS, FailedTask, FoldPart, RunPart, Sample
from coordination.tasks import Task

Work = tuple[int, int, int, int, int]
"""Tool calls, model calls, tokens in, tokens out, cost."""


class Counted(NamedTuple):
    """As what a task is counted: in which parts, as which state, with how much work."""

    shard: str
    fold_key: str
    state: str
    work: Work


def counted(task: Task) -> Counted:
    """As what the task is to be counted now."""
    work = (task.tool_calls, task.model_calls, task.tokens_in, task.tokens_out, task.cost)
    return Counted(task.shard, task.fold_key, task.state, work)


def move(counts: dict[str, int], before: str | None, after: str | None) -> None:
    """One task less in state `before`, one more in state `after`; zeros vanish.

    A part that was lost (pruned by hand) counts from nothing: a wrong bar until the next rebuild is better than
    a shard that stands still.
    """
    if before is not None:
        left = counts.get(before, 0) - 1
        if left > 0:
            counts[before] = left
        else:
            counts.pop(before, None)
    if after is not None:
        counts[after] = counts.get(after, 0) + 1


def add_work(part: RunPart, work: Work, sign: int) -> None:
    """Add (or with -1 take off) calls, tokens and cost."""
    part.tool_calls += sign * work[0]
    part.model_calls += sign * work[1]
    part.tokens_in += sign * work[2]
    part.tokens_out += sign * work[3]
    part.cost += sign * work[4]


def add_sample(part: FoldPart, event: Event) -> bool:
    """Let a task.requested take part in its fold's part; whether that changed the part."""
    changed = False
    if part.first_at is None or event.at < part.first_at:
        part.first_at = event.at
        changed = True
    if part.sample is None or event.task_id <= part.sample.task_id:
        sample = sample_of(event)
        if part.sample is None or sample < part.sample:
            part.sample = sample
            changed = True
    fanouts, fanout = part.fanouts, event.fanout_id
    if fanout and fanout not in fanouts and (len(fanouts) < MAX_FANOUTS or fanout < fanouts[-1]):
        part.fanouts = tuple(sorted((*fanouts, fanout))[:MAX_FANOUTS])
        changed = True
    return changed


def sample_of(event: Event) -> Sample:
    """What a fold needs to know of one member, from its command."""
    data = event.data
    return Sample(event.task_id, data.task_type, event.target_group, event.parent_task_id, data.depends_on, data.title)


def keep_failure(part: RunPart, task: Task, failed_at: int) -> None:
    """Keep a task that ever failed among the earliest of the part, as it is now."""
    error = task.error
    one = FailedTask(
        failed_at=failed_at,
        task_id=task.task_id,
        state=task.state,
        agent_group=task.agent_group,
        parent_task_id=task.parent_task_id,
        title=task.title or task.task_type,
        error_type=error.type if error else "",
        error_message=error.message if error else "",
        attempts=task.attempt,
    )
    others = (other for other in part.failures if other.task_id != task.task_id)
    part.failures = tuple(sorted((*others, one))[:MAX_FAILURES])
