"""What became of one record for every consumer group that reads its topic or that it is addressed to.

Judged from the last poll of each group, from the task a command is about, and from what the group said because of
the record; when a group passed it is known as the time between two polls. Unknown is an answer, silence is not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coordination.event import Event
from coordination.eventlog import TopicPartition
from coordination.fate import Standing, Work, fate_of
from coordination.lag import Limits, words
from coordination.tasks import OPEN
from dashboard.api.addresses import address
from dashboard.api.instants import iso
from dashboard.lagstore import unpack_commits
from dashboard.models import GroupSnapshot, Task
from dashboard.readers import Reader, readers

STALE: Final = Limits().stale
COMMAND: Final = "task.requested"


def fate(
    event: Event, now: int, effects: Sequence[Event] = (), known: Sequence[Reader] | None = None
) -> list[dict[str, Any]]:
    """One entry for each group, those that act on the record first. `effects` are the events that name it as their
    cause; `known` all groups, if the caller has them."""
    where = TopicPartition(event.topic, event.partition)
    groups = readers() if known is None else known
    found = [each for each in groups if each.reads(event.topic) or _is_for(each, event)]
    rows = [_row(each, event, where, now, effects) for each in found]
    if event.target_group and not any(each.agent_group == event.target_group for each in found):
        work, told = _work(event, event.target_group, effects)
        rows.append(_words(event.target_group, True, fate_of(event.offset, None, work, told)))
    known_agents = {each.agent_group for each in groups if each.agent_group}
    for row in rows:
        row["url"] = address("agents", row["group"]) if row["group"] in known_agents else None
    return sorted(rows, key=lambda row: (not row["acts"], row["group"]))


def _is_for(reader: Reader, event: Event) -> bool:
    return bool(event.target_group) and event.target_group == reader.agent_group


def _row(reader: Reader, event: Event, where: TopicPartition, now: int, effects: Sequence[Event]) -> dict[str, Any]:
    acts = bool(reader.agent_group) and reader.acts_on(event)
    work: Work = "not meant"
    told = ""
    if acts:
        work, told = _work(event, reader.agent_group, effects)
    row = _words(reader.label, acts, fate_of(event.offset, _standing(reader, where, now), work, told))
    if row["fate"] in ("passed", "done", "passed without result"):
        row |= passed_between(reader.name, where, event.offset)
    if now - reader.taken_at > STALE and row["fate"] == "unknown":
        row["evidence"] = f"the last poll is {words(now - reader.taken_at)} old"
    return row


def _words(group: str, acts: bool, found: Any) -> dict[str, Any]:
    return {"group": group, "fate": found.word, "evidence": found.evidence, "acts": acts}


def _standing(reader: Reader, where: TopicPartition, now: int) -> Standing | None:
    part: Mapping[str, Any] | None = reader.partitions.get(where)
    if part is None:
        # It reads the topic: a partition without a commit is missing from what the log answers.
        return Standing(state="not started") if reader.reads(where.topic) else None
    return Standing(
        state="stale" if now - reader.taken_at > STALE else str(part["state"]),
        commit=part.get("commit"),
        reached=part.get("reached"),
        begin=part.get("begin"),
        stable=part.get("stable"),
        high=part.get("end"),
    )


def _work(event: Event, group: str, effects: Sequence[Event]) -> tuple[Work, str]:
    """What the group made of the record, and how that is known."""
    task = _task(event)
    if task is not None and task.state not in OPEN:
        return "done", f"the task is {task.state}"
    if task is not None and task.started_at is not None:
        return "running", f"started by {task.agent_id or 'an unnamed agent'}, {task.state} now"
    said = next((each for each in effects if group in (each.agent_group, each.target_group)), None)
    if said is not None and event.name != COMMAND:
        return "done", f"{said.name} followed from it"
    return "none", ""


def _task(event: Event) -> Task | None:
    """The task that this very command asked for."""
    if event.name != COMMAND or not event.task_id:
        return None
    place = {
        "command_topic": event.topic,
        "command_partition": event.partition,
        "command_offset": event.offset,
    }
    found = Task.objects.filter(run_id=event.run_id, task_id=event.task_id, **place)
    return found.only("state", "started_at", "agent_id").first()


def passed_between(group: str, where: TopicPartition, offset: int) -> dict[str, str | None]:
    """The polls between which a group passed an offset: the last that saw it before, the first that saw it beyond.

    Empty if no poll is remembered that saw it before.
    """
    after = None
    snapshots = GroupSnapshot.objects.filter(group=group, commits__isnull=False).order_by("taken_at")
    for taken_at, kept in snapshots.values_list("taken_at", "commits"):
        commit = (unpack_commits(kept) or {}).get(where.topic, {}).get(where.partition)
        if commit is None:
            continue
        if commit <= offset:
            after = taken_at
        elif after is not None:
            return {"passed_after": iso(after), "passed_before": iso(taken_at)}
    return {}
