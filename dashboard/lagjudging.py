"""From what the log answered and what the tables know to the facts of each group, and their rows."""

import time
from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

import msgspec

from coordination.eventlog import Ends, GroupInfo, MemberInfo, TopicInfo, TopicPartition
from coordination.lag import GroupFacts, Hot, Limits, PartitionFacts, age, waiting
from dashboard import lagfacts
from dashboard.factqueue import FactQueue, Waits
from dashboard.laghistory import Frontier, GroupMemory, Window, remembered
from dashboard.lagrows import Poll, group_row
from dashboard.lagskew import Skew
from dashboard.lagstore import Outcome, made_after, store
from dashboard.readers import subscriptions

PREFIX: Final = "agent."
DURATIONS_EVERY: Final = 30.0
STEPS: Final = 12
"""In so many steps the limit for a start is divided: whether a queue grows is looked at over at least half of it."""
NOTHING: Final = Waits(0, None, None)


class Seen(msgspec.Struct, kw_only=True):
    """What the log answered about one group. None: it could not be read; `denied`: for lack of a right."""

    info: GroupInfo | None = None
    commits: dict[TopicPartition, int] | None = None
    denied: bool = False

    @property
    def members(self) -> tuple[MemberInfo, ...]:
        """The members, none if they could not be read."""
        return (self.info.members or ()) if self.info else ()


class Answers(Protocol):
    """What one poll brought from the log."""

    @property
    def seen(self) -> Mapping[str, Seen]: ...
    @property
    def ends(self) -> Mapping[TopicPartition, Ends]: ...
    @property
    def commands(self) -> Any: ...
    @property
    def evidence(self) -> Any: ...
    @property
    def topics(self) -> Mapping[str, TopicInfo]: ...
    @property
    def recreated(self) -> frozenset[str]: ...
    @property
    def at(self) -> int: ...


class Tables(msgspec.Struct, kw_only=True):
    """What the tables know at one poll, for all groups."""

    queues: dict[lagfacts.Place, lagfacts.Queue]
    in_hand: dict[lagfacts.Place, lagfacts.Head]
    running: dict[str, Any]
    running_counts: dict[str, int]
    last_acts: dict[str, lagfacts.LastActs]
    beats: dict[str, int]
    capacities: dict[tuple[str, str], int]
    subscriptions: dict[str, frozenset[str]]
    arrived: dict[str, int]
    span: int
    read_until: int


class Judging:
    """Judges all groups of one log, poll after poll, in one thread. `topics` are those of the tasks."""

    def __init__(self, topics: Collection[str], limits: Limits) -> None:
        self._topics = frozenset(topics)
        self._limits = limits
        self._memories: dict[str, GroupMemory] = {}
        self._window, self._frontier = Window(), Frontier()
        self._facts = FactQueue()
        self._skew = Skew()
        self._durations: dict[str, tuple[float, dict[str, tuple[int, int, int]]]] = {}

    def judge(self, answers: Answers) -> list[dict[str, Any]]:
        """The rows of all groups, stored; those that are no agents' have no `group`."""
        new = [name for name in answers.seen if name not in self._memories]
        self._memories |= remembered(new, answers.at, self._limits.start // STEPS)
        for name in self._memories.keys() - answers.seen.keys():
            del self._memories[name]
        if answers.recreated:
            for memory in self._memories.values():
                memory.forget(answers.recreated)
        tables = self._tables(answers)
        self._look_at_facts(answers, tables)
        outcomes = [self._outcome(name, seen, answers, tables) for name, seen in answers.seen.items()]
        store(outcomes, answers.at)
        return [outcome.row for outcome in outcomes]

    def _tables(self, answers: Answers) -> Tables:
        # What lies before the begin of the log is lost, whoever stands there; it waits for nobody.
        commits = {
            (_agents(name), where): max((seen.commits or {}).get(where, 0), answers.ends[where].begin)
            for name, seen in answers.seen.items()
            for where in answers.commands
            if _agents(name)
        }
        # First how far the tables are, then what they say: so they say no less than that.
        stable = {where: answers.ends[where].stable for where in answers.evidence}
        read_until = self._frontier.push(stable, lagfacts.reached(), answers.at)
        offsets, span = self._window.push({where: answers.ends[where] for where in answers.commands}, answers.at)
        return Tables(
            queues=lagfacts.queues(commits, made_after()),
            in_hand=lagfacts.in_hand(commits),
            running=lagfacts.running(),
            running_counts=lagfacts.running_counts(),
            last_acts=lagfacts.last_acts(filter(None, map(_agents, answers.seen))),
            beats=lagfacts.last_heartbeats(),
            capacities=lagfacts.capacities(),
            subscriptions=subscriptions(),
            arrived=lagfacts.arrived(offsets),
            span=span,
            read_until=read_until,
        )

    def _look_at_facts(self, answers: Answers, tables: Tables) -> None:
        """Take in the records that wait and are no tasks, on the partitions where somebody acts on any."""
        least: dict[TopicPartition, int] = {}
        for name, seen in answers.seen.items():
            for where, commit in (seen.commits or {}).items():
                if _agents(name) and self._acts(_agents(name), where, tables):
                    least[where] = min(commit, least.get(where, commit))
        self._facts.look(least, {kind for kinds in tables.subscriptions.values() for kind in kinds})

    def _acts(self, group: str, where: TopicPartition, tables: Tables) -> bool:
        if where.topic in self._topics:
            return False
        return where.topic.endswith(".commands") or bool(tables.subscriptions.get(group))

    def _outcome(self, name: str, seen: Seen, answers: Answers, tables: Tables) -> Outcome:
        group, memory = _agents(name), self._memories[name]
        before = memory.seen_at
        changes = memory.see(seen.info, seen.commits, answers.at)
        facts = self._group(name, seen, answers, tables)
        durations = self._lasting(group) if group else {}
        facts = msgspec.structs.replace(
            facts, p99={kind: spans[2] for kind, spans in durations.items()}, hot=self._hot(group, facts)
        )
        poll = Poll(
            name=name,
            facts=facts,
            now=answers.at,
            limits=self._limits,
            info=seen.info,
            running=tables.running_counts.get(group, 0) if group else 0,
            durations={kind: spans[:2] for kind, spans in durations.items()},
            arrived=tables.arrived.get(group, 0) if group else 0,
            span=tables.span,
            waiting_before=_before(memory, answers.at - tables.span),
            subscribes_to=sorted(tables.subscriptions.get(group, ())) if group else [],
        )
        row = group_row(poll)
        memory.note(answers.at, row["waiting"], age(facts, answers.at), tables.read_until)
        return Outcome(row, seen.commits, changes, before or answers.at)

    def _lasting(self, group: str) -> dict[str, tuple[int, int, int]]:
        """How long tasks of a group take; asked again only now and then."""
        at, found = self._durations.get(group, (float("-inf"), {}))
        if time.monotonic() - at >= DURATIONS_EVERY:
            found = lagfacts.durations(group)
            self._durations[group] = (time.monotonic(), found)
        return found

    def _hot(self, group: str, facts: GroupFacts) -> Hot | None:
        return self._skew.of(group, facts) if group and waiting(facts)[0] else None

    def _group(self, name: str, seen: Seen, answers: Answers, tables: Tables) -> GroupFacts:
        group, memory = _agents(name), self._memories[name]
        acts = tables.last_acts.get(group, lagfacts.LastActs())
        places = dict.fromkeys(answers.commands if group else ())
        places |= dict.fromkeys(where for where in seen.commits or () if where in answers.ends)
        members = {where: member for member in seen.members for where in member.partitions}
        places |= dict.fromkeys(where for where in members if where in answers.ends)
        parts = [self._partition(name, where, seen, members.get(where), answers, tables) for where in sorted(places)]
        return GroupFacts(
            group=group,
            partitions=_with_workers(parts, group, members, tables),
            members=None if seen.info is None or seen.info.members is None else len(seen.info.members),
            running=tables.running.get(group, []) if group else [],
            waiting_types=[kind for part in parts for kind in part.types],
            last_start_at=acts.started_at,
            last_end_at=acts.ended_at,
            last_heartbeat_at=tables.beats.get(group),
            last_commit_at=max(memory.moved.values(), default=None),
            ages=memory.ages,
            waits=memory.waits,
            generations=memory.generations,
            group_state=seen.info.state if seen.info else "unknown",
            read_until=tables.read_until,
        )

    def _partition(
        self,
        name: str,
        where: TopicPartition,
        seen: Seen,
        member: MemberInfo | None,
        answers: Answers,
        tables: Tables,
    ) -> PartitionFacts:
        group, commit = _agents(name), (seen.commits or {}).get(where)
        queue, head = tables.queues.get((group, where)), tables.in_hand.get((group, where))
        waits = Waits(queue.number, queue.oldest_at, queue.first_offset) if queue else NOTHING
        if where.topic not in self._topics:
            waits = self._facts.waits(where, commit, group, tables.subscriptions.get(group, ())) if commit else NOTHING
        if head is not None and waits.first_offset is not None and waits.first_offset < head.offset:
            head = None
        topic = answers.topics.get(where.topic)
        return PartitionFacts(
            topic=where.topic,
            partition=where.partition,
            commit=commit,
            committed=seen.commits is None or commit is not None,
            ends=answers.ends.get(where) if seen.commits is not None else None,
            reached=self._memories[name].reached.get(where),
            topic_recreated=where.topic in answers.recreated,
            denied=seen.denied,
            polled_at=answers.at,
            waiting=waits.number if group and seen.commits is not None else None,
            oldest_at=waits.oldest_at if group and waits.number != 0 else None,
            member=(member.client_id or member.member_id) if member else None,
            head_starts=head.starts if head else 0,
            head_offset=head.offset if head else waits.first_offset,
            head_task=(head.run_id, head.task_id) if head else None,
            types=dict(queue.types) if queue and where.topic in self._topics else {},
            retention=_retention(topic),
            moved_at=self._memories[name].moved.get(where),
        )


def _agents(name: str) -> str:
    """The agent group of a consumer group, "" for one that is no agents'."""
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""


def _before(memory: GroupMemory, at: int) -> int | None:
    """How many tasks waited at an instant, or as soon after it as is remembered."""
    return next((count for seen_at, count in memory.waits if seen_at >= at), None)


def _with_workers(
    parts: list[PartitionFacts], group: str, members: Mapping[TopicPartition, MemberInfo], tables: Tables
) -> list[PartitionFacts]:
    """A member's room for tasks is shared by those of its partitions on which any wait."""
    busy: dict[str, int] = {}
    for part in parts:
        if part.member and part.waiting:
            busy[part.member] = busy.get(part.member, 0) + 1
    return [
        msgspec.structs.replace(part, workers=tables.capacities.get((group, part.member), 1) / busy[part.member])
        if part.member in busy and part.waiting
        else part
        for part in parts
    ]


def _retention(topic: TopicInfo | None) -> int | None:
    """How long (µs) a topic keeps records; None for ever, or if that may not be read."""
    text = (topic.config or {}).get("retention.ms", "") if topic else ""
    policy = (topic.config or {}).get("cleanup.policy", "delete") if topic else ""
    return int(text) * 1000 if text.isdigit() and "delete" in policy else None
