"""Skew: the partition that most of a group's waiting tasks stand on, and the run or the key that made it so."""

import time
from collections import Counter
from typing import Final

import msgspec

from coordination.eventlog import TopicPartition
from coordination.lag import GroupFacts, Hot, PartitionFacts
from dashboard.factqueue import stored_from
from dashboard.models import Task

AGAIN: Final = 30.0
"""Seconds after which a hot partition is looked at again: what makes it hot does not change from poll to poll."""
LEAST: Final = 5
"""Fewer waiting tasks than this are no skew, however they lie."""
TASKS: Final = 1_000
RECORDS: Final = 2_000


class Skew:
    """Looks at each group's hottest partition now and then. For one thread."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, TopicPartition, Hot]] = {}

    def of(self, group: str, facts: GroupFacts) -> Hot | None:
        """What is hot in a group; None if its tasks are spread as chance would spread them."""
        hot = hottest(facts)
        if hot is None:
            self._known.pop(group, None)
            return None
        where = TopicPartition(hot.topic, hot.partition)
        at, place, known = self._known.get(group, (float("-inf"), where, None))
        if known is None or place != where or time.monotonic() - at >= AGAIN:
            known = _look(group, where, hot, facts)
            self._known[group] = (time.monotonic(), where, known)
        return known


def hottest(facts: GroupFacts) -> PartitionFacts | None:
    """The partition that holds more than half of the waiting tasks, and more than twice its even share."""
    parts = [part for part in facts.partitions if part.waiting is not None]
    total = sum(part.waiting or 0 for part in parts)
    top = max(parts, key=lambda part: part.waiting or 0, default=None)
    if top is None or total < LEAST or len(parts) < 2:
        return None
    most = top.waiting or 0
    return top if most * 2 > total and most * len(parts) > 2 * total else None


def _look(group: str, where: TopicPartition, part: PartitionFacts, facts: GroupFacts) -> Hot:
    """The run and the key that most of the tasks there share, among the first TASKS of them."""
    tasks = Task.objects.filter(
        agent_group=group,
        state="requested",
        ended_at=None,
        command_topic=where.topic,
        command_partition=where.partition,
        command_offset__gte=part.commit or 0,
    ).order_by("command_offset")
    found = [(run, at) for run, at in tasks.values_list("run_id", "command_offset")[:TASKS] if at is not None]
    total = sum(each.waiting or 0 for each in facts.partitions)
    hot = Hot(topic=where.topic, partition=where.partition, waiting=part.waiting or 0, of=total)
    if not found:
        return hot
    (run_id, of_run), *_ = Counter(run for run, _ in found).most_common(1)
    key, keyed = _key(where, {offset for _, offset in found})
    return msgspec.structs.replace(hot, run_id=run_id, of_run=of_run, key=key, keyed=keyed)


def _key(where: TopicPartition, offsets: set[int]) -> tuple[str, int]:
    counts: Counter[bytes] = Counter()
    for number, record in enumerate(stored_from(where, min(offsets))):
        if record.offset in offsets and record.key is not None:
            counts[record.key] += 1
        if number >= RECORDS:
            break
    if not counts:
        return "", 0
    (key, count), *_ = counts.most_common(1)
    return key.decode("utf-8", "replace"), count
