"""Instants and durations as the API writes them."""

from coordination.instants import rfc3339


def iso(at: int | None) -> str | None:
    """RFC 3339 in UTC with `Z`; None stays None."""
    return None if at is None else rfc3339(at)


def to_second(at: int) -> str:
    """An instant inside a sentence, to the second: pages write it in the reader's zone."""
    return f"{rfc3339(at)[:19]}Z"


def to_millisecond(at: int) -> str:
    """The same to the millisecond, where the order of two instants is the point."""
    return f"{rfc3339(at)[:23]}Z"


def seconds(microseconds: int | None) -> float | None:
    """A duration in seconds, three decimals; None stays None."""
    return None if microseconds is None else round(microseconds / 1_000_000, 3)


def between(first: int | None, last: int | None) -> int | None:
    """Microseconds from first to last, None where one is unknown."""
    return None if first is None or last is None else last - first
