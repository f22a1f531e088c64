"""Declared topics against the topics of a log: what is missing, what differs, what can be set right.

A difference counts only if it does harm. Keeping records longer, or more copies of them, is the operator's good
right; so is another number of partitions, as long as all topics that share their partitioning agree on it. What
can be set while a topic is in use and deletes no record is `safe`; everything else is for a person: the number of
partitions never shrinks, and growing it moves keys away from the records that are there already.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec

from coordination.eventlog import TopicInfo, TopicSpec

AS_DECLARED: Final = "as declared"
MISSING: Final = "missing"
DIFFERS: Final = "differs"
UNREADABLE: Final = "unreadable"
UNKNOWN: Final = "unknown"
State = Literal["as declared", "missing", "differs", "unreadable", "unknown"]

FOREVER: Final = "-1"
# More than is declared does no harm.
AT_LEAST: Final = frozenset({"retention.ms", "min.compaction.lag.ms", "delete.retention.ms", "min.insync.replicas"})
ONLY_BY_HAND: Final = frozenset({"cleanup.policy"})


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as declared: `setting` is a name of Kafka's, or `partitions` or `replication`.

    `safe`: it may be set at once. `advice` says what to do where it may not.
    """

    setting: str
    declared: str
    actual: str
    safe: bool = False
    advice: str = ""

    @property
    def words(self) -> str:
        """What differs, in words."""
        return f"{self.setting} is {self.actual or 'not set'}, declared {self.declared}"


class TopicPlan(msgspec.Struct, frozen=True):
    """One topic: how it stands, and what differs. `spec` is None for a topic that is not declared.

    `mapped`: the topic belongs to somebody else and is used under its own name; it is never made or changed.
    """

    name: str
    state: State
    spec: TopicSpec | None = None
    differences: tuple[Difference, ...] = ()
    mapped: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """The settings that may be set at once; none of a topic of somebody else."""
        return {} if self.mapped else {one.setting: one.declared for one in self.differences if one.safe}

    @property
    def by_hand(self) -> tuple[Difference, ...]:
        """The differences that only a person can settle."""
        return tuple(one for one in self.differences if self.mapped or not one.safe)


class Plan(msgspec.Struct, frozen=True):
    """All declared topics in their order, then those under our names that are not declared.

    `others` counts the topics of the log that are none of ours.
    """

    topics: tuple[TopicPlan, ...]
    others: int = 0

    def in_state(self, state: State) -> list[TopicPlan]:
        """The topics that stand so."""
        return [topic for topic in self.topics if topic.state == state]

    @property
    def to_create(self) -> list[TopicSpec]:
        """The topics to make; one that is mapped is expected to be there and is not made by us."""
        return [one.spec for one in self.in_state(MISSING) if one.spec is not None and not one.mapped]

    @property
    def to_configure(self) -> dict[str, dict[str, str]]:
        """Topic name -> settings that may be set at once."""
        return {one.name: one.settings for one in self.in_state(DIFFERS) if one.settings}

    @property
    def settled(self) -> bool:
        """Whether all declared topics are there and none differs."""
        return not (self.in_state(MISSING) or self.in_state(DIFFERS))


def compare(
    specs: Sequence[TopicSpec],
    found: Mapping[str, TopicInfo],
    *,
    namespace: str,
    shared: Collection[str] = (),
    mapped: Collection[str] = (),
) -> Plan:
    """Declared topics against those found. `shared` names the topics that must have one partition count.

    Where those of somebody else, or at least half of all, agree on another count than the declared one, that count
    is right, and the missing ones are made with it. A single topic that a broker made by itself decides nothing.
    """
    specs = _agreed(specs, found, shared, mapped)
    topics = [_topic(spec, found.get(spec.name), spec.name in mapped) for spec in specs]
    declared = {spec.name for spec in specs}
    strangers = sorted(found.keys() - declared)
    unknown = [name for name in strangers if name.startswith((f"{namespace}.", f"dlq.{namespace}."))]
    topics += [TopicPlan(name, "unknown") for name in unknown]
    return Plan(tuple(topics), len(strangers) - len(unknown))


def _agreed(
    specs: Sequence[TopicSpec], found: Mapping[str, TopicInfo], shared: Collection[str], mapped: Collection[str]
) -> list[TopicSpec]:
    there = [name for name in shared if name in found]
    theirs = [name for name in there if name in mapped]
    deciding = theirs or (there if len(there) * 2 >= len(shared) else [])
    counts = {found[name].partitions for name in deciding}
    if len(counts) != 1:
        return list(specs)
    (count,) = counts
    return [msgspec.structs.replace(spec, partitions=count) if spec.name in shared else spec for spec in specs]


def _topic(spec: TopicSpec, info: TopicInfo | None, mapped: bool) -> TopicPlan:
    if info is None:
        return TopicPlan(spec.name, "missing", spec, mapped=mapped)
    differences = (*_shape(spec, info), *_settings(spec, info))
    state: State = "differs" if differences else "unreadable" if info.config is None else "as declared"
    return TopicPlan(spec.name, state, spec, differences, mapped)


def _shape(spec: TopicSpec, info: TopicInfo) -> list[Difference]:
    found = []
    if info.partitions != spec.partitions:
        advice = "Growing moves keys to other partitions, shrinking is impossible: move to a new topic in a quiet hour."
        found.append(Difference("partitions", str(spec.partitions), str(info.partitions), advice=advice))
    if info.replication < spec.replication:
        advice = "Give its partitions more replicas with kafka-reassign-partitions.sh."
        found.append(Difference("replication", str(spec.replication), str(info.replication), advice=advice))
    return found


def _settings(spec: TopicSpec, info: TopicInfo) -> list[Difference]:
    if info.config is None:
        return []
    return [
        _difference(name, declared, info.config.get(name, ""), info)
        for name, declared in spec.config.items()
        if not _good_enough(name, declared, info.config.get(name, ""))
    ]


def _good_enough(name: str, declared: str, actual: str) -> bool:
    if name == "cleanup.policy":
        return set(actual.split(",")) == set(declared.split(","))
    if name not in AT_LEAST or actual == declared:
        return actual == declared
    if FOREVER in (declared, actual):
        return actual == FOREVER
    return actual.isdigit() and int(actual) >= int(declared)


def _difference(name: str, declared: str, actual: str, info: TopicInfo) -> Difference:
    if name in ONLY_BY_HAND:
        advice = f"Another {name} lets the log delete records: decide, then set it with kafka-configs.sh."
        return Difference(name, declared, actual, advice=advice)
    if name == "min.insync.replicas" and info.replication <= int(declared):
        advice = "It needs more replicas first; with these, one broker away would stop all appends."
        return Difference(name, declared, actual, advice=advice)
    return Difference(name, declared, actual, safe=True)
