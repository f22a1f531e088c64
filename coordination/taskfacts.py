"""What each fact of `run.task.events` does to a task: one function per event type, one table that lists them.

A step is called for a legal fact, before the state changes; `tracks.tell` judges and changes the state.
"""

from collections.abc import Callable
from typing import Final

from coordination.anomalies import note
from coordination.event import Event
from coordination.events.shapes import Failure
from coordination.instants import micros
from coordination.taskcommands import small
from coordination.tasks import (
    COMPENSATIONS,
    FAILING,
    MAX_ATTEMPTS,
    MAX_KEPT,
    MAX_PAUSES,
    TRANSITIONS,
    Attempt,
    Ending,
    Pause,
    Task,
    Track,
)

MESSAGE_LENGTH: Final = 2000
STACK_LENGTH: Final = 4000

Step = Callable[[Task, Track, Event], None]


def accepted(task: Task, track: Track, event: Event) -> None:
    """task.accepted: an agent has the command in its hands."""
    track.received_at = event.at
    track.agent_id = event.agent_id
    if task.accepted_at is None or event.at < task.accepted_at:
        task.accepted_at = event.at


def started(task: Task, track: Track, event: Event) -> None:
    """task.started: the next attempt; its number is the event's where it says one."""
    number = track.attempt + 1
    if event.attempt is not None and event.attempt != number:
        note(task, event, "attempt_disagrees")
        number = event.attempt
    attempt = Attempt(
        number=number,
        agent_id=event.agent_id,
        event_id=event.id,
        accepted_at=track.received_at,
        started_at=event.at,
        heard_at=event.at,
    )
    _append(track, attempt)
    track.received_at = None
    track.agent_id = event.agent_id
    track.error = None
    if task.started_at is None or event.at < task.started_at:
        task.started_at = event.at


def _append(track: Track, attempt: Attempt) -> None:
    track.attempt = attempt.number
    if len(track.attempts) < MAX_ATTEMPTS:
        track.attempts += (attempt,)
    else:  # the first one and the latest ones tell the story of a task that is tried for ever
        track.attempts = (track.attempts[0], *track.attempts[2:], attempt)


def paused(task: Task, track: Track, event: Event) -> None:
    """task.paused: the attempt waits for a person."""
    reason = event.data.reason or "question"
    approval_id = event.data.approval_id
    _pause(track, Pause(at=event.at, reason=reason, attempt=track.attempt, approval_id=approval_id))


def escalated(task: Task, track: Track, event: Event) -> None:
    """task.escalated: the task waits for a person, if it did not already."""
    if not track.pauses or track.pauses[-1].resumed_at is not None:
        _pause(track, Pause(at=event.at, reason="escalated", attempt=track.attempt))


def _pause(track: Track, pause: Pause) -> None:
    kept = track.pauses if len(track.pauses) < MAX_PAUSES else (track.pauses[0], *track.pauses[2:])
    track.pauses = (*kept, pause)


def resumed(task: Task, track: Track, event: Event) -> None:
    """task.resumed: work goes on, perhaps on another instance."""
    if track.pauses and track.pauses[-1].resumed_at is None:
        track.pauses[-1].resumed_at = event.at
    track.agent_id = event.agent_id or track.agent_id


def attempt_failed(task: Task, track: Track, event: Event) -> None:
    """task.attempt.failed: this try failed, another follows at `next_attempt_at`."""
    expected = track.attempt if track.running else track.attempt + 1
    if event.attempt is not None and event.attempt != expected:
        note(task, event, "attempt_disagrees")
    if track.running is None:  # it began without telling
        _append(track, Attempt(number=event.attempt or expected, agent_id=event.agent_id))
    track.error = _error(event)
    _close(track, event, "failed")
    after = event.data.next_attempt_at
    track.attempts[-1].next_attempt_at = micros(after) if after else None


def _close(track: Track, event: Event, outcome: str) -> None:
    last = track.running
    if last is None:
        return
    last.ended_at = event.at
    last.outcome = outcome
    if track.error and outcome != "completed":
        last.error_type, last.error_message = track.error.type, track.error.message


def _error(event: Event) -> Failure | None:
    error = getattr(event.data, "error", None)
    reason = getattr(event.data, "reason", "")
    if error is None:
        return Failure(message=reason[:MESSAGE_LENGTH]) if reason else None
    stack = error.stack[-STACK_LENGTH:] if error.stack else None
    return Failure(type=error.type, message=error.message[:MESSAGE_LENGTH], stack=stack)


def ended(task: Task, track: Track, event: Event) -> None:
    """task.failed, .rejected, .expired, .canceled: the task ended without a result."""
    state = TRANSITIONS[event.name].target or ""
    track.error = _error(event) or (track.error if state == "failed" else None)
    _close(track, event, state)
    track.ended_at, track.ended_event = event.at, event.id
    if state in FAILING:
        track.dead_lettered = getattr(event.data, "dead_lettered", False)
        track.failed_at = event.at if track.failed_at is None else track.failed_at


def completed(task: Task, track: Track, event: Event) -> None:
    """task.completed: the result."""
    track.error = None
    track.output = small(event.data.output)
    _close(track, event, "completed")
    track.ended_at, track.ended_event = event.at, event.id


def set_back(task: Task, track: Track, event: Event) -> None:
    """task.invalidated, .reopened: the end is taken back, the task is to be done again."""
    ending = Ending(track.fact_state, track.ended_at or 0, event.at, event.name, track.ended_event, track.attempt)
    track.endings = (*track.endings, ending)[-MAX_KEPT:]
    track.ended_at, track.ended_event = None, ""
    track.error, track.output, track.dead_lettered = None, None, False
    track.compensated = "none"


def assigned(task: Task, track: Track, event: Event) -> None:
    """task.assigned: who has it now."""
    track.agent_id = event.data.agent_id or event.agent_id


def released(task: Task, track: Track, event: Event) -> None:
    """task.released: nobody has it now."""
    track.agent_id = ""


def progressed(task: Task, track: Track, event: Event) -> None:
    """task.progressed: how far, doing what."""
    if event.data.progress is not None:
        track.progress = event.data.progress
    track.progress_text = (event.data.step or event.data.message)[:MESSAGE_LENGTH]


def alive(task: Task, track: Track, event: Event) -> None:
    """task.checkpointed, .artifact.produced: a sign of life; the record itself has the rest."""


def cancel_declined(task: Task, track: Track, event: Event) -> None:
    """task.cancel.declined: it goes on."""
    track.cancel_declined_at = event.at


def compensated(task: Task, track: Track, event: Event) -> None:
    """task.compensation.started, .compensated, .compensation.failed: the second dimension moves."""
    rule = COMPENSATIONS[event.name]
    if track.compensated in rule.origins:
        track.compensated = rule.target or track.compensated
    else:
        note(task, event, "illegal_transition")


TASK_FACTS: Final[dict[str, Step]] = {
    "task.accepted": accepted,
    "task.started": started,
    "task.paused": paused,
    "task.resumed": resumed,
    "task.attempt.failed": attempt_failed,
    "task.escalated": escalated,
    "task.rejected": ended,
    "task.completed": completed,
    "task.failed": ended,
    "task.canceled": ended,
    "task.expired": ended,
    "task.assigned": assigned,
    "task.released": released,
    "task.progressed": progressed,
    "task.checkpointed": alive,
    "task.artifact.produced": alive,
    "task.cancel.declined": cancel_declined,
    "task.invalidated": set_back,
    "task.reopened": set_back,
    "task.compensation.started": compensated,
    "task.compensated": compensated,
    "task.compensation.failed": compensated,
}
