"""Where a task's time went: seven phases that follow one another without a gap.

in_broker            asked for, not yet in an agent's hands
agent_queue          accepted, not yet begun; also a retry that is due and not begun
execution            an attempt works
retry_backoff        between a failed attempt and the time of the next one
human_review         a person has to decide, to answer, to sign in
decision_returning   decided, not yet resumed by the agent
unattributed         nothing says what happened: an agent died, an end was taken back, no start was told

Without task.accepted the broker and the agent's queue are one phase, `in_broker`. Instants are taken in causal
order: one that lies before its cause is moved to it, and the largest such step is told as `skew`. So no phase
is negative and their sum is the wall time to the microsecond.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from coordination.tasks import TERMINAL, Attempt, Ending, Pause, Task

PHASES: Final = (
    "in_broker",
    "agent_queue",
    "execution",
    "retry_backoff",
    "human_review",
    "decision_returning",
    "unattributed",
)


class Span(msgspec.Struct, frozen=True):
    """A stretch of one phase, `start` to `end` in µs; `attempt` 0 is before the first."""

    phase: str
    start: int
    end: int
    attempt: int

    @property
    def length(self) -> int:
        """µs."""
        return self.end - self.start


class Delays(msgspec.Struct, frozen=True):
    """The phases of one task from `start` to `end` (µs), without gaps; `skew` is by how much clocks disagreed."""

    task_id: str
    start: int
    end: int
    spans: tuple[Span, ...]
    skew: int

    @property
    def wall(self) -> int:
        """µs from first to last."""
        return self.end - self.start

    def parts(self) -> dict[str, int]:
        """µs by phase, in the order of `PHASES`; phases that did not occur are left out."""
        return parts_of(self.spans)

    def within(self, start: int, end: int) -> list[Span]:
        """The spans cut to a stretch of time."""
        cut = (Span(one.phase, max(one.start, start), min(one.end, end), one.attempt) for one in self.spans)
        return [one for one in cut if one.end > one.start]


def parts_of(spans: Iterable[Span]) -> dict[str, int]:
    """µs by phase, in the order of `PHASES`."""
    sums = dict.fromkeys(PHASES, 0)
    for span in spans:
        sums[span.phase] += span.length
    return {phase: length for phase, length in sums.items() if length}


def begin_of(task: Task) -> int | None:
    """When a task's time begins: when it was asked for, else the first thing heard of it."""
    known = (task.requested_at, task.accepted_at, task.started_at, task.seen_at, task.ended_at)
    return next((at for at in known if at is not None), None)


def delays(task: Task, until: int) -> Delays:
    """The phases of a task; an open one runs until `until` (now, or the position of a picture of the past)."""
    start = begin_of(task)
    start = until if start is None else start
    end = task.ended_at if task.state in TERMINAL and task.ended_at is not None else until
    line = _Line(start, max(start, end), max(0, start - end) if task.state in TERMINAL else 0)
    _walk(task, line)
    return Delays(task.task_id, start, line.limit, tuple(line.spans), line.skew)


class _Line:
    """A line of spans under construction: the cursor only moves forward, and never past the limit."""

    def __init__(self, start: int, limit: int, skew: int) -> None:
        self.cursor, self.limit, self.skew = start, limit, skew
        self.spans: list[Span] = []
        self.attempt = 0

    def to(self, at: int | None, phase: str) -> None:
        """Spend the time up to `at` in a phase."""
        if at is None:
            return
        self.skew = max(self.skew, self.cursor - at)
        at = min(max(at, self.cursor), self.limit)
        if at > self.cursor:
            last = self.spans[-1] if self.spans else None
            if last and last.phase == phase and last.attempt == self.attempt:
                self.spans.pop()
                self.cursor = last.start
            self.spans.append(Span(phase, self.cursor, at, self.attempt))
        self.cursor = at


def _walk(task: Task, line: _Line) -> None:
    phase = _interludes(task, line, 0, "in_broker")
    before: Attempt | None = None
    for attempt, last in _numbered(task.attempts):
        phase = _wait(line, before, attempt, phase)
        line.attempt = attempt.number
        phase = _try(task, line, attempt, last=last)
        before = attempt
    _finish(task, line, before, phase)


def _numbered(attempts: Sequence[Attempt]) -> list[tuple[Attempt, bool]]:
    """The attempts, each with whether it is the last one of its number (pauses are told by number)."""
    numbers = [attempt.number for attempt in attempts]
    return [(attempt, attempt.number not in numbers[index + 1 :]) for index, attempt in enumerate(attempts)]


def _wait(line: _Line, before: Attempt | None, attempt: Attempt, phase: str) -> str:
    """The time before an attempt, which `phase` names until something better is known."""
    if phase == "retry_backoff" and before is not None and before.next_attempt_at is not None:
        due = before.next_attempt_at
        if attempt.started_at is not None:
            due = min(due, attempt.started_at)
        line.to(max(due, line.cursor), "retry_backoff")
        phase = "agent_queue"
    if attempt.accepted_at is not None:
        line.to(attempt.accepted_at, phase)
        phase = "agent_queue"
    line.to(attempt.started_at, phase)
    return phase


def _try(task: Task, line: _Line, attempt: Attempt, *, last: bool) -> str:
    """The time of an attempt; what comes after it."""
    if attempt.outcome == "abandoned":
        line.to(max(attempt.heard_at or 0, line.cursor), "execution")
        return "unattributed"
    phase = _interludes(task, line, attempt.number, "execution") if last else "execution"
    if phase == "in_broker":  # its end was taken back: the interludes went past it
        return phase
    line.to(attempt.ended_at, phase)
    if attempt.outcome == "failed":
        return "retry_backoff"
    return phase if not attempt.outcome else "unattributed"


def _interludes(task: Task, line: _Line, number: int, phase: str) -> str:
    """Pauses and taken-back ends of the attempt with this number (0: before the first); the phase after them."""
    these: list[Pause | Ending] = [pause for pause in task.pauses if pause.attempt == number]
    these += [ending for ending in task.endings if ending.attempt == number]
    for one in sorted(these, key=lambda one: one.at if isinstance(one, Pause) else one.ended_at):
        if isinstance(one, Ending):
            line.to(one.ended_at, phase)
            line.to(one.reopened_at, "unattributed")
            phase = "in_broker"
        else:
            line.to(one.at, phase)
            phase = _review(task, line, one)
    return phase


def _review(task: Task, line: _Line, pause: Pause) -> str:
    resumed = line.limit if pause.resumed_at is None else pause.resumed_at
    sent = next((sent.at for sent in task.sent if pause.at <= sent.at <= resumed), None)
    line.to(sent, "human_review")
    last = "human_review" if sent is None else "decision_returning"
    if pause.resumed_at is None:
        return last
    line.to(pause.resumed_at, last)
    return "execution"


def _finish(task: Task, line: _Line, last: Attempt | None, phase: str) -> None:
    """The time up to the end, or up to now."""
    if task.received_at is not None:
        line.to(max(task.received_at, line.cursor), phase)
        phase = "agent_queue"
    if phase == "retry_backoff" and last is not None and last.next_attempt_at is not None:
        line.to(min(max(last.next_attempt_at, line.cursor), line.limit), phase)
        phase = "agent_queue"
    unheard = task.fact_state in ("completed", "failed") and not task.attempts and phase not in _HEARD
    line.to(line.limit, "unattributed" if unheard else phase)


_HEARD: Final = frozenset(("execution", "human_review", "decision_returning"))
