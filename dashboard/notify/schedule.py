"""When a person may be told: digests wait for the hour or the morning, nothing comes in quiet hours."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coordination.instants import micros, moment

MORNING: Final = 8
DAY: Final = 24 * 60


def known_zone(name: str) -> bool:
    """Whether this names a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def due_at(now: int, digest: str, quiet_from: int, quiet_to: int, zone: str) -> int:
    """When (µs) something that happened `now` may go out: at once, with the next full hour or the next morning
    (digest `hourly`, `daily`), and not between `quiet_from` and `quiet_to` (minutes of the day in `zone`)."""
    here = ZoneInfo(zone if known_zone(zone) else "UTC")
    at = moment(now).astimezone(here)
    if digest == "hourly":
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    elif digest == "daily":
        morning = at.replace(hour=MORNING, minute=0, second=0, microsecond=0)
        at = morning if morning > at else morning + timedelta(days=1)
    return micros(_after_quiet(at, quiet_from, quiet_to))


def _after_quiet(at: datetime, quiet_from: int, quiet_to: int) -> datetime:
    minute = at.hour * 60 + at.minute
    span = (quiet_to - quiet_from) % DAY
    if span == 0 or (minute - quiet_from) % DAY >= span:
        return at
    end = at.replace(hour=quiet_to // 60, minute=quiet_to % 60, second=0, microsecond=0)
    return end if end > at else end + timedelta(days=1)
