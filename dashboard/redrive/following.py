"""Following: what becomes of each letter that was put back, from the outbox to its result.

Asked again and again by the sweeper, a bounded number of letters at a time. Each step is written once and only
forward, so it may be interrupted anywhere:
- saved → published: the relay read it back, and says where it stands;
- saved → undeliverable: the log refuses it or its time is over; the letter is open again;
- published → running → done or failed: what its task says, after the group's commit has passed it;
- published → passed: the group has read it, and it is no task whose end could be seen;
- any → dead again: a newer dead letter came from exactly that place.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.db import transaction

from coordination.eventlog import TopicPartition
from coordination.tasks import TERMINAL
from dashboard.clock import database_now
from dashboard.models import DeadLetter, Decision, RedriveItem, Task
from dashboard.readers import Reader, readers

State = RedriveItem.State
OPEN: Final = (State.SAVED, State.PUBLISHED, State.RUNNING)
AT_ONCE: Final = 400
GRACE: Final = 10_000_000
"""How long (µs) facts may take from the log into the tables before "read and nothing came of it" is believed."""
TASK: Final = "task.requested"


class Result(NamedTuple):
    """What became of a letter: the new state, in words, the instant (µs) if that is the end, its newer letter."""

    state: str
    words: str
    at: int | None = None
    again: DeadLetter | None = None


class Following:
    """Walks over all open items, AT_ONCE a turn, and begins again. `fresh` tells whether at an instant (µs) nothing
    on the log can be unread."""

    def __init__(self, fresh: Callable[[int], bool]) -> None:
        self._fresh = fresh
        self._after = 0
        self._passed: dict[int, int] = {}
        """Item -> when its group was first seen beyond it: its facts may still be on their way to the tables."""

    def look(self) -> int:
        """One turn; returns how many items moved."""
        found = RedriveItem.objects.filter(state__in=OPEN, pk__gt=self._after).order_by("pk")
        items = list(found.select_related("letter").defer("letter__record")[:AT_ONCE])
        self._after = items[-1].pk if len(items) == AT_ONCE else 0
        moved = _sent([item for item in items if item.state == State.SAVED])
        return moved + self._follow([item for item in items if item.state != State.SAVED])

    def _follow(self, items: Sequence[RedriveItem]) -> int:
        if not items:
            return 0
        groups = {reader.agent_group: reader for reader in readers()}
        letters, tasks = _newer(items), _tasks(items)
        now, moved = database_now(), 0
        for item in items:
            task = tasks.get((item.letter.run_id, item.letter.task_id))
            again = letters.get((item.topic, item.partition, item.offset))
            result = _ended(item, task, again) or self._judge(item, task, groups.get(item.letter.agent_group), now)
            if (result.state, result.words) != (item.state, item.result):
                moved += _move(item, result.state, result=result.words, result_at=result.at, again=result.again)
            if result.at is not None:
                self._passed.pop(item.pk, None)
        return moved

    def _judge(self, item: RedriveItem, task: Task | None, group: Reader | None, now: int) -> Result:
        """How far it is, by where its group stands."""
        if task is not None and task.state == "working":
            return Result(State.RUNNING, f"started by {task.agent_id or 'an unnamed agent'}")
        commit = _commit(group, item)
        if commit is None:
            return Result(State.PUBLISHED, _unseen(item, group))
        if commit <= (item.offset or 0):
            return Result(State.PUBLISHED, f"waits for {item.letter.agent_group}: its commit is {commit}")
        if task is not None and task.state not in TERMINAL:
            return Result(State.RUNNING, f"taken up; the task is {task.state}")
        since = self._passed.setdefault(item.pk, now)
        words = f"{item.letter.agent_group} has read it; its commit is {commit}"
        if now - since >= GRACE and self._fresh(now):
            return Result(State.PASSED, words, now)
        return Result(State.PUBLISHED, words)


def _ended(item: RedriveItem, task: Task | None, again: DeadLetter | None) -> Result | None:
    """How it ended, if it has."""
    if again is not None:
        error = again.exception or again.message or again.code
        return Result(State.DEAD, f"it failed again: {error}", again.at, again)
    if task is None or task.state not in TERMINAL or (task.ended_at or 0) < (item.published_at or 0):
        return None
    state = State.DONE if task.state == "completed" else State.FAILED
    return Result(state, f"the task is {task.state}", task.ended_at)


def _sent(items: Sequence[RedriveItem]) -> int:
    """What the relay says of items that wait to be put back."""
    ids = [item.decision_id for item in items]
    found = Decision.objects.filter(pk__in=ids).exclude(state=Decision.State.SAVED).defer("records")
    rows = {row.decision_id: row for row in found}
    return sum(_told(item, rows[item.decision_id]) for item in items if item.decision_id in rows)


def _told(item: RedriveItem, row: Decision) -> int:
    if row.state == Decision.State.PUBLISHED:
        topic, partition, offset, at = row.positions[0]
        return _move(item, State.PUBLISHED, published_at=at, topic=topic, partition=partition, offset=offset)
    if row.state == Decision.State.LATE:
        return _return(item, "it could not be put back within a day")
    # Refused: the relay tries again every minute, until its time is over.
    return _move(item, State.SAVED, result=row.error) if item.result != row.error else 0


def _move(item: RedriveItem, state: str, **fields: Any) -> int:
    return RedriveItem.objects.filter(pk=item.pk, state=item.state).update(state=state, **fields)


def _return(item: RedriveItem, reason: str) -> int:
    """It never reached the log: the letter is open again, for another redrive."""
    with transaction.atomic():
        moved = _move(item, State.UNDELIVERABLE, result=reason, result_at=database_now())
        if moved:
            letter = DeadLetter.objects.filter(pk=item.letter_id)
            letter.update(state=DeadLetter.State.OPEN, resolved_at=None, resolved_by="")
        return moved


def _newer(items: Sequence[RedriveItem]) -> dict[tuple[str, int, int | None], DeadLetter]:
    """The dead letters that came from where these items stand now."""
    offsets = {item.offset for item in items}
    found = DeadLetter.objects.filter(redrives__gt=0, origin_offset__in=offsets).defer("record")
    return {(one.origin_topic, one.origin_partition or 0, one.origin_offset): one for one in found}


def _tasks(items: Sequence[RedriveItem]) -> dict[tuple[str, str], Task]:
    names = {item.letter.task_id for item in items if item.letter.event_name == TASK}
    columns = ("run_id", "task_id", "state", "started_at", "ended_at", "agent_id")
    return {(row.run_id, row.task_id): row for row in Task.objects.filter(task_id__in=names).only(*columns)}


def _commit(group: Reader | None, item: RedriveItem) -> int | None:
    """The group's position on the item's partition, from a poll that is newer than the record."""
    if group is None or group.taken_at <= (item.published_at or 0):
        return None
    row: Mapping[str, Any] = group.partitions.get(TopicPartition(item.topic, item.partition), {})
    return row.get("commit")


def _unseen(item: RedriveItem, group: Reader | None) -> str:
    if not item.letter.agent_group:
        return "put back; no group is named that gave it up"
    if group is None:
        return f"put back; {item.letter.agent_group} is not seen"
    return f"put back; where {item.letter.agent_group} stands there is not known yet"
