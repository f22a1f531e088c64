"""Random histories of one topic and one group, and the truth about them counted record by record.

A history is a list of acts. Whoever keeps the log carries them out and says which offsets they took; the truth is
made of those answers alone, so it holds for a real broker and for the model of one.
"""

import random
from dataclasses import dataclass, field
from typing import NamedTuple

PARTITIONS = 2
ACTS = {
    "produce": 4,
    "transaction": 2,
    "abort": 1,
    "noise": 1,
    "compaction": 1,
    "commit": 3,
    "rewind": 1,
    "delete": 1,
    "start": 1,
    "recreate": 1,
}
"""What happens, and how often beside the others."""


class Act(NamedTuple):
    """One thing that happens; `count` records or `share` of what is there."""

    name: str
    partition: int
    count: int
    share: float


class Kept(NamedTuple):
    """A task record: its partition, offset, and when it was appended (ms)."""

    partition: int
    offset: int
    at: int
    task: str


def acts(seed: int) -> list[Act]:
    """The acts of history number `seed`; one in five has no commits, one in five an open transaction at its end."""
    rng = random.Random(seed)
    names = rng.choices(list(ACTS), list(ACTS.values()), k=rng.randrange(4, 12))
    if seed % 5 == 0:
        names = [name for name in names if name not in ("commit", "rewind")]
    if seed % 5 == 1:
        names.append("open")
    return [Act(name, rng.randrange(PARTITIONS), rng.randrange(1, 6), rng.random()) for name in ["produce", *names]]


@dataclass
class Truth:
    """What is so: task records that nobody has begun, commits, and where each partition begins and ends."""

    waiting: list[Kept] = field(default_factory=list)
    commits: dict[int, int] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    begin: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), 0))

    def commit(self, partition: int, offset: int) -> None:
        """The group stands here now; what it passed was done, or dropped without a word."""
        self.commits[partition] = offset
        self.reached[partition] = max(offset, self.reached.get(partition, 0))

    def recreate(self) -> None:
        """The topic is another one: its records and positions are gone."""
        self.waiting, self.commits, self.reached = [], {}, {}
        self.begin = dict.fromkeys(range(PARTITIONS), 0)

    def of(self, partition: int) -> list[Kept]:
        """The records that wait on a partition, counted one by one."""
        least = max(self.commits.get(partition, 0), self.begin[partition])
        return [one for one in self.waiting if one.partition == partition and one.offset >= least]
