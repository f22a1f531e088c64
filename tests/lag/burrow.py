"""The rules by which Burrow judges a consumer group, restated as a small table, to set them beside our own.

They judge by the cadence of commits alone: for each partition the last COMMITS commits, each with its instant and the
lag it had when it was seen, and the last COMMITS ends. A group is as ill as its worst partition. Instants are seconds.
"""

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from coordination.eventlog import TopicPartition

COMMITS: Final = 10
ENDS_EVERY: Final = 10.0
"""Seconds between two looks at the ends of partitions."""
ERRORS: Final = ("STOP", "STALL", "REWIND")
ORDER: Final = ("OK", "WARN", *ERRORS)


class Commit(NamedTuple):
    """A commit as it was seen: its offset, when it was made, and how far the known end was ahead of it."""

    offset: int
    at: float
    lag: int


Rule = Callable[[Sequence[Commit], Sequence[int], float], str | None]


def _caught_up(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # Nothing lies beyond the newest commit.
    return "OK" if ends[-1] <= commits[-1].offset else None


def _stop(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # Silent for longer than the remembered commits span, unless it was at the end a moment ago.
    silent = now - commits[-1].at > commits[-1].at - commits[0].at
    return "STOP" if silent and min(ends) > commits[-1].offset else None


def _rewind(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # The first step back, unless a later commit regained the place.
    for number, (before, after) in enumerate(itertools.pairwise(commits)):
        if after.offset < before.offset:
            return None if any(one.offset >= before.offset for one in commits[number + 2 :]) else "REWIND"
    return None


def _touched_zero(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # It had nothing to do at least once while we looked.
    return "OK" if any(one.lag == 0 for one in commits) else None


def _stall(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # It commits, and always the same.
    return "STALL" if len({one.offset for one in commits}) == 1 else None


def _warn(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str | None:
    # The lag never fell from one commit to the next.
    return "WARN" if all(a.lag <= b.lag for a, b in itertools.pairwise(commits)) else None


RULES: Final[tuple[Rule, ...]] = (_caught_up, _stop, _rewind, _touched_zero, _stall, _warn)


def judge(commits: Sequence[Commit], ends: Sequence[int], now: float) -> str:
    """The status of one partition: the first rule that speaks, else OK. Neither sequence is empty."""
    return next((word for rule in RULES if (word := rule(commits, ends, now))), "OK")


class Burrow:
    """Remembers commits and ends, and judges groups; a group that never committed is unknown to it (NOTFOUND)."""

    def __init__(self) -> None:
        self._commits: dict[str, dict[TopicPartition, deque[Commit]]] = defaultdict(dict)
        self._ends: dict[TopicPartition, deque[int]] = {}

    def end(self, where: TopicPartition, high: int) -> None:
        """A partition ends here."""
        self._ends.setdefault(where, deque(maxlen=COMMITS)).append(high)

    def commit(self, group: str, where: TopicPartition, offset: int, at: float) -> None:
        """A group committed."""
        ends = self._ends.get(where)
        if ends:
            lag = max(0, ends[-1] - offset)
            self._commits[group].setdefault(where, deque(maxlen=COMMITS)).append(Commit(offset, at, lag))

    def status(self, group: str, now: float) -> str:
        """The worst status of a group's partitions."""
        if group not in self._commits:
            return "NOTFOUND"
        parts = self._commits[group].items()
        return max((judge(commits, self._ends[where], now) for where, commits in parts), key=ORDER.index)
