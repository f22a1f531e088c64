"""Identifiers: UUIDv7 for what happens now, UUIDv5 for what was recorded elsewhere."""

from typing import Final
from uuid import UUID, uuid5

import uuid_utils

IMPORTS: Final = UUID("6f1c7d0e-4f0b-5d8e-9a53-2d0f6c1f9b1a")


def new_id(time: int) -> str:
    """A UUIDv7 (RFC 9562) for an event created at `time`, microseconds since 1970 UTC.

    Minted once when the event is created; a resend reuses it.
    """
    return str(uuid_utils.uuid7(nanoseconds=time * 1000))


def imported_id(origin: str, run: str, native_id: str, phase: str) -> str:
    """A UUIDv5 of (origin, native run, native id, phase), so that a second import is a duplicate."""
    return str(uuid5(IMPORTS, "\x1f".join((origin, run, native_id, phase))))


def sequence(number: int) -> str:
    """The `sequence` attribute: 19 digits, zero-padded, so that text order is number order."""
    if not 0 <= number < 10**19:
        raise ValueError(f"sequence must have at most 19 digits and be positive, got {number}")
    return f"{number:019d}"
