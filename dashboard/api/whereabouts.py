"""Where a place in a run's past is among the others: what the scrubber steps from."""

from bisect import bisect_left, bisect_right
from typing import Any

from coordination.instants import rfc3339
from dashboard.manifest import layout
from dashboard.past import Place
from dashboard.past.history import History, failures


def whereabouts(place: Place) -> dict[str, Any]:
    """The position and its instant, how many of the run's events lie at or before it, and the positions that a step
    by one event or by one failure leads to (null where there is none)."""
    history, last = place.past.history, place.count - 1
    history.tell(layout())
    failed = failures(history)
    earlier, later = bisect_left(failed, last), bisect_right(failed, last)
    return {
        "position": place.text,
        "time": rfc3339(place.at),
        "count": place.count,
        "events": len(history),
        "first": _text(history, 0),
        "previous": _text(history, last - 1),
        "next": _text(history, last + 1),
        "last": _text(history, len(history) - 1),
        "previous_failure": _text(history, failed[earlier - 1] if earlier else -1),
        "next_failure": _text(history, failed[later] if later < len(failed) else -1),
    }


def _text(history: History, number: int) -> str | None:
    return history.positions[number].text() if 0 <= number < len(history) else None
