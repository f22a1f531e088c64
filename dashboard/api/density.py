"""How busy a fold was over time: how many of its members were at work in each column, by how they ended.

The database counts members by begin and end on a fine grid, so that a fold of 100,000 costs one query and a few
thousand numbers; stretches in which nothing happened in the whole run are cut; what remains is put into columns.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from django.db.models import Count, F, Max, Min

from dashboard.api.signs import ORDER, sign_of_state
from dashboard.models import Task

FINE: Final = 1_200
COLUMNS: Final = 150
# A stretch without any task is cut if it is at least this part of the run and this long (µs).
CUT_SHARE: Final = 0.06
CUT_LEAST: Final = 20_000_000
# A stretch in which people alone are waited for is cut only where it would leave no room for anything else.
WAIT_SHARE: Final = 0.6


class Stay(msgspec.Struct, frozen=True):
    """`count` members of a fold in a state, at work from column `begin` to `end` (None: still) of the fine grid."""

    fold_key: str
    state: str
    begin: int
    end: int | None
    count: int


class Crowd(msgspec.Struct):
    """A fold over time: first request and first start (µs), slowest member (µs), its stays."""

    asked: int | None = None
    begun: int | None = None
    ended: int | None = None
    slowest: int = 0
    stays: list[Stay] = []


class Grid(msgspec.Struct, frozen=True):
    """A time axis from start to end (µs) in FINE columns."""

    start: int
    end: int

    @property
    def step(self) -> int:
        """µs of one fine column."""
        return max(1, -(-(self.end - self.start) // FINE))

    def column(self, at: int) -> int:
        """The fine column of an instant."""
        return max(0, min(FINE - 1, (at - self.start) // self.step))

    def at(self, column: int) -> int:
        """When a fine column begins."""
        return min(self.end, self.start + column * self.step)


def crowds(run_id: str, grid: Grid, homes: Mapping[str, str]) -> dict[str, Crowd]:
    """The members of the folds `homes` leads from, by the fold it leads to; one query."""
    found: dict[str, Crowd] = defaultdict(Crowd)
    if not homes:
        return found
    rows = (
        Task.objects.filter(run_id=run_id, fold_key__in=list(homes))
        .annotate(b=(F("started_at") - grid.start) / grid.step, e=(F("ended_at") - grid.start) / grid.step)
        .values_list("fold_key", "state", "b", "e")
        .annotate(Count("task_id"), Min("requested_at"), Min("started_at"), Max("ended_at"), took=Max(_TOOK))
    )
    for key, state, begin, end, count, asked, begun, ended, took in rows:
        crowd = found[homes[key]]
        crowd.asked = _least(crowd.asked, asked)
        crowd.begun = _least(crowd.begun, begun)
        crowd.ended = max(crowd.ended or 0, ended or 0) or None
        crowd.slowest = max(crowd.slowest, took or 0)
        if begin is not None:
            last = None if end is None else max(0, min(FINE - 1, end))
            crowd.stays.append(Stay(key, state, max(0, min(FINE - 1, begin)), last, count))
    return found


_TOOK: Final = F("ended_at") - F("started_at")


def _least(one: int | None, other: int | None) -> int | None:
    known = [each for each in (one, other) if each is not None]
    return min(known, default=None)


def busy(grid: Grid, stays: Iterable[Stay], until: int) -> list[tuple[int, int]]:
    """When any of these members was at work, as stretches of µs."""
    spans = {(stay.begin, grid.column(until) if stay.end is None else stay.end) for stay in stays}
    return [(grid.at(begin), grid.at(end + 1)) for begin, end in spans]


def cuts(start: int, end: int, stretches: Iterable[tuple[int, int]], share: float = CUT_SHARE) -> list[tuple[int, int]]:
    """The stretches (µs) from start to end in which nothing was open, if they are at least `share` of it all."""
    least = max(CUT_LEAST, int(share * (end - start)))
    found, reached = [], start
    for low, high in [*sorted(stretches), (end, end)]:
        if low - reached >= least:
            found.append((reached, min(low, end)))
        reached = max(reached, high)
    return found


def columns(grid: Grid, crowd: Crowd, gaps: Sequence[tuple[int, int]], until: int) -> list[dict[str, Any]]:
    """Columns {start, end (µs), segments}: how many members were at work at most in each, by sign."""
    levels = _levels(grid, crowd, until)
    kept = [place for place in range(grid.column(until) + 1) if not _within(grid, place, gaps)]
    width = max(1, -(-len(kept) // COLUMNS))
    found = []
    for first in range(0, len(kept), width):
        places = kept[first : first + width]
        most = {sign: max(level[place] for place in places) for sign, level in levels.items()}
        segments = [(sign, most[sign]) for sign in ORDER if most.get(sign)]
        if segments:
            end = min(until, grid.at(places[-1] + 1))
            found.append({"start": grid.at(places[0]), "end": end, "segments": segments})
    return found


def _levels(grid: Grid, crowd: Crowd, until: int) -> dict[str, list[int]]:
    """How many members were at work in each fine column, by sign."""
    changes: dict[str, list[int]] = defaultdict(lambda: [0] * (FINE + 1))
    last = grid.column(until)
    for stay in crowd.stays:
        change = changes[sign_of_state(stay.state)["sign"]]
        change[stay.begin] += stay.count
        change[(last if stay.end is None else stay.end) + 1] -= stay.count
    levels: dict[str, list[int]] = {}
    for sign, change in changes.items():
        level, levels[sign] = 0, []
        for step in change:
            level += step
            levels[sign].append(level)
    return levels


def _within(grid: Grid, place: int, gaps: Sequence[tuple[int, int]]) -> bool:
    return any(low <= grid.at(place) and grid.at(place + 1) <= high for low, high in gaps)
