"""When a person may be told."""

import pytest

from coordination.instants import parse, rfc3339
from dashboard.notify.schedule import due_at, known_zone

NIGHT = (22 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("now", "digest", "quiet", "zone", "due"),
    [
        ("2026-05-04T12:34:56Z", "at once", (0, 0), "UTC", "2026-05-04T12:34:56"),
        ("2026-05-04T12:34:56Z", "hourly", (0, 0), "UTC", "2026-05-04T13:00:00"),
        ("2026-05-04T12:34:56Z", "daily", (0, 0), "UTC", "2026-05-05T08:00:00"),
        ("2026-05-04T06:34:56Z", "daily", (0, 0), "UTC", "2026-05-04T08:00:00"),
        ("2026-05-04T12:34:56Z", "at once", NIGHT, "UTC", "2026-05-04T12:34:56"),
        ("2026-05-04T23:00:00Z", "at once", NIGHT, "UTC", "2026-05-05T07:00:00"),
        ("2026-05-04T03:00:00Z", "at once", NIGHT, "UTC", "2026-05-04T07:00:00"),
        ("2026-05-04T07:00:00Z", "at once", NIGHT, "UTC", "2026-05-04T07:00:00"),
        ("2026-05-04T21:30:00Z", "hourly", NIGHT, "UTC", "2026-05-05T07:00:00"),
        ("2026-05-04T20:30:00Z", "at once", NIGHT, "Europe/Berlin", "2026-05-05T05:00:00"),
        ("2026-05-04T12:00:00Z", "at once", NIGHT, "no/where", "2026-05-04T12:00:00"),
        ("2026-10-25T00:30:00Z", "at once", NIGHT, "Europe/Berlin", "2026-10-25T06:00:00"),  # the clocks go back
    ],
)
def test_digests_wait_and_quiet_hours_are_kept(
    now: str, digest: str, quiet: tuple[int, int], zone: str, due: str
) -> None:
    assert rfc3339(due_at(parse(now), digest, *quiet, zone))[:19] == due


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("x", False), ("../etc/passwd", False), ("", False)]
)
def test_only_names_of_zones_are_zones(name: str, known: bool) -> None:
    assert known_zone(name) is known
