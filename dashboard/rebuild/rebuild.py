"""The order of a rebuild: fold what is stored, catch up, take the pen, catch up for the last time, swap.

Pages stay up throughout; workers pause from taking the pen until they renew their leases, some seconds. What the
log has beyond the stored records is folded by whoever reads the log next, into the new rows.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec
from django.db import OperationalError, transaction

from coordination.errors import CoordinationError
from dashboard.collector import without_collector
from dashboard.manifest import layout
from dashboard.rebuild.fresh import Fresh, fresh_tables
from dashboard.rebuild.refolding import Refolding, Unfolded, next_era
from dashboard.rebuild.shards import Pen, PenLost
from dashboard.rebuild.stored import chunks, settled_batch
from dashboard.runtime import make_store, worker_name
from dashboard.shards import Leases

LEASE: Final = "rebuild"
LEASE_SECONDS: Final = 60.0
CAUGHT_UP: Final = 5_000
"""Records of one round: so few are folded in a moment, so the pen may be taken."""
ROUNDS: Final = 20
TRIES: Final = 20
PAUSE: Final = 0.5
MOMENTS: Final = 20
MOMENT: Final = 0.1
"""Seconds between tries to get hold of the tables while workers pause."""
Tell = Callable[[int, float], None]


class NotSwapped(CoordinationError):
    """The live tables are as they were; the message says why and what to do."""

    code = "not_swapped"


class Rebuilt(msgspec.Struct, frozen=True):
    """A rebuild that went into place: how much was folded, and how long what took (s).

    `paused` is the time from taking the pen until it was given back, `swap` the transaction of the swap alone.
    """

    records: int
    runs: int
    seconds: float
    paused: float
    swap: float
    unfolded: tuple[Unfolded, ...] = ()


class _Rebuild:
    """One rebuild under way. `tell` hears (records so far, seconds so far) after each chunk."""

    def __init__(self, fresh: Fresh, refolding: Refolding, leases: Leases, tell: Tell) -> None:
        self.fresh = fresh
        self.refolding = refolding
        self.leases = leases
        self.done = 0
        self.runs = 0
        self._tell = tell
        self._began = time.perf_counter()
        self._renew_at = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def fold(self, upto: int) -> int:
        """Fold the batches up to this one; how many records that were."""
        before = self.refolding.folded
        for records in chunks(self.done, upto):
            self.stay_alone()
            with self.fresh.at_hand():
                self.refolding.take(records)
            self._tell(self.refolding.folded, self.seconds)
        with self.fresh.at_hand():
            self.runs += self.refolding.summarise()
        self.done = upto
        return self.refolding.folded - before

    def stay_alone(self) -> None:
        """Renew the lease that keeps other rebuilds away."""
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + self.leases.every
            if LEASE not in self.leases.renew([LEASE]):
                raise NotSwapped("Another rebuild is under way, or died less than a minute ago. Try again then.")

    def catch_up(self) -> None:
        """Fold all there is, and what came meanwhile, until little comes."""
        for _ in range(ROUNDS):
            if self.fold(settled_batch()) <= CAUGHT_UP:
                break
        self.fresh.finish()


def rebuild(tell: Tell, *, leave_out: bool = False) -> Rebuilt:
    """Rebuild, and put the result into place. With `leave_out` also if stored records cannot be folded any more.

    Raises NotSwapped, and what the database raises; then the live tables are untouched.
    """
    leases = Leases(worker_name(), LEASE, seconds=LEASE_SECONDS)
    fresh = fresh_tables()
    try:
        if LEASE not in leases.renew([LEASE]):
            raise NotSwapped("Another rebuild is under way, or died less than a minute ago. Try again then.")
        fresh.make()
        try:
            return _run(fresh, leases, tell, leave_out=leave_out)
        finally:
            fresh.drop()
    finally:
        leases.release()


def _run(fresh: Fresh, leases: Leases, tell: Tell, *, leave_out: bool) -> Rebuilt:
    store = make_store()
    era, places = next_era(), layout()
    with fresh.at_hand():
        store.open()
    under_way = _Rebuild(fresh, Refolding(store, places, era), leases, tell)
    with without_collector():
        under_way.catch_up()
        for _ in range(TRIES):
            _check(under_way.refolding, leave_out)
            try:
                paused, swap = _swap(under_way)
            except (PenLost, OperationalError):
                time.sleep(PAUSE)
                continue
            refolding = under_way.refolding
            unfolded = tuple(refolding.unfolded)
            return Rebuilt(refolding.folded, under_way.runs, under_way.seconds, paused, swap, unfolded)
    raise NotSwapped("The live tables are too busy to be swapped. Stop the workers for a moment and try again.")


def _swap(under_way: _Rebuild) -> tuple[float, float]:
    """Take the pen, catch up for the last time, swap; the seconds of the pause and of the swap."""
    began = time.perf_counter()
    pen = Pen(under_way.leases.worker)
    with pen.held() as batch:
        under_way.fold(batch)
        with under_way.fresh.beside():
            swapped = _swap_at_a_moment(under_way.fresh, lambda: pen.check(batch))
    return time.perf_counter() - began, swapped


def _swap_at_a_moment(fresh: Fresh, check: Callable[[], None]) -> float:
    """Swap as soon as no page holds the tables for long; the seconds of the transaction. Raises OperationalError."""
    moments = 0
    while True:
        began = time.perf_counter()
        try:
            with transaction.atomic():
                check()
                fresh.swap()
            return time.perf_counter() - began
        except OperationalError:
            moments += 1
            if moments == MOMENTS:
                raise
            time.sleep(MOMENT)


def _check(refolding: Refolding, leave_out: bool) -> None:
    if refolding.unfolded and not leave_out:
        first = refolding.unfolded[0]
        raise NotSwapped(
            f"{len(refolding.unfolded)} stored records cannot be folded by this release, the first of them "
            f"{first.topic}-{first.partition}@{first.offset}: {first.reason}. The live tables are as they were; "
            "go back to the release that could, or rebuild with --leave-out to go on without these."
        )
