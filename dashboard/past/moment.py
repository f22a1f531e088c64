"""Now, or a moment of a run's past: what every picture of a run is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from dashboard.clock import database_now
from dashboard.past.past import Place, past_of


class Moment(msgspec.Struct, frozen=True):
    """`now` is the instant (µs) that ages are counted to; `place` is None for the present."""

    now: int
    place: Place | None = None


@contextmanager
def as_of(run_id: str, at: str | None) -> Iterator[Moment]:
    """Inside, questions about this run's rows are answered as of a position; None or empty: as of now.

    Raises BadPosition, TooLong.
    """
    if not at:
        yield Moment(database_now())
        return
    with past_of(run_id).at(at) as place:
        yield Moment(place.at, place)
