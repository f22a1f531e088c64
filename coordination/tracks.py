"""The task state machine: judge a fact, apply it, and choose what is shown.

A fact is judged by `tasks.TRANSITIONS` against the facts before it in its own partition, and by nothing else:
not by whether the command was read, not by other topics. The first terminal fact wins; a later fact is an
anomaly, except task.invalidated and task.reopened, which set the task back to requested, and what belongs to
compensation. A start while an attempt runs is an anomaly too, but the work really moved: the running attempt
is closed as abandoned and the new one is shown.
"""

from typing import Final

from coordination.anomalies import note
from coordination.event import Event
from coordination.receipts import receipt_of, with_receipt
from coordination.taskfacts import TASK_FACTS, Step, started
from coordination.tasks import TERMINAL, TRANSITIONS, Task, Track

_FIELDS: Final = Track.__struct_fields__
_RULES: Final[dict[str, tuple[frozenset[str], str | None, Step]]] = {
    name: (rule.origins, rule.target, TASK_FACTS[name]) for name, rule in TRANSITIONS.items()
}


def tell(task: Task, event: Event) -> None:
    """Apply one fact of `run.task.events` to the task, or note why not."""
    if task.partition < 0:
        task.topic, task.partition = event.topic, event.partition
    track = task if event.partition == task.partition and event.topic == task.topic else track_of(task, event)
    origins, target, step = _RULES[event.name]
    if track.fact_state in origins:
        step(task, track, event)
        if target is not None:
            track.fact_state = "auth_required" if _needs_credentials(event, target) else target
        _heard(track, event)
    elif event.name == "task.started" and track.fact_state == "working":
        _taken_over(task, track, event)
    else:
        note(task, event, "after_end" if track.fact_state in TERMINAL else "illegal_transition")
    if task.command_offset is None:
        _hint(task, event)
    if task.others:
        _settle(task)


def _needs_credentials(event: Event, target: str) -> bool:
    return target == "input_required" and event.name == "task.paused" and event.data.reason == "credentials"


def _heard(track: Track, event: Event) -> None:
    track.facts += 1
    track.heard_at = event.at
    if track.attempts and not track.attempts[-1].outcome:  # as track.running, without the call
        track.attempts[-1].heard_at = event.at


def _taken_over(task: Task, track: Track, event: Event) -> None:
    note(task, event, "started_again")
    running = track.running
    if running and (running.agent_id, running.number) == (event.agent_id, event.attempt or running.number):
        return
    if running:
        running.outcome = "abandoned"
    started(task, track, event)
    _heard(track, event)


def answered(task: Task, event: Event) -> None:
    """decision.applied, .refused, .revoked: what the agent did with a decision; changes no state."""
    task.receipts = with_receipt(task.receipts, receipt_of(event))


def _hint(task: Task, event: Event) -> None:
    # Facts may name group, parent and branch too. They help until the command is read, which then replaces
    # them all; the smallest value wins, because facts of a split task come in any order.
    for field, value in (
        ("agent_group", event.agent_group),
        ("parent_task_id", event.parent_task_id),
        ("fanout_id", event.fanout_id),
    ):
        known = getattr(task, field)
        if value and (not known or value < known):
            setattr(task, field, value)
    if event.fanout_index is not None:
        known_index = task.fanout_index
        task.fanout_index = event.fanout_index if known_index is None else min(known_index, event.fanout_index)


def track_of(task: Task, event: Event) -> Track:
    """The track of the event's partition; a second partition makes the task `split`."""
    place = event.topic, event.partition
    for track in task.tracks:
        if (track.topic, track.partition) == place:
            return track
    new = Track(topic=event.topic, partition=event.partition)
    task.others = (*task.others, new)
    return new


def _settle(task: Task) -> None:
    # An end that another track has taken back is no end: it is the same fact, delivered twice.
    taken_back = {ending.event_id for track in task.tracks for ending in track.endings}
    best = min(task.tracks, key=lambda track: _rank(track, taken_back))
    if best is not task:
        for field in _FIELDS:
            mine, its = getattr(task, field), getattr(best, field)
            setattr(task, field, its)
            setattr(best, field, mine)
    task.others = tuple(sorted(task.others, key=lambda track: (track.topic, track.partition)))


def _rank(track: Track, taken_back: set[str]) -> tuple[bool, int, int, str, int]:
    ended = track.fact_state in TERMINAL and track.ended_event not in taken_back
    first = (track.ended_at or 0) if ended else -track.facts
    return not ended, first, -(track.heard_at or 0), track.topic, track.partition
