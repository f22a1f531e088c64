"""Rules of time: microseconds inside, RFC 3339 outside."""

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.instants import micros, moment, parse, rfc3339
from tests.coordination.wire import NOON

# The years RFC 3339 and Python share.
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
instants = st.integers(FIRST, LAST)


@given(instants)
def test_writing_and_reading_an_instant_changes_nothing(at: int) -> None:
    assert parse(rfc3339(at)) == at == micros(moment(at))
    assert len(rfc3339(at)) == 27


@given(st.integers(0, 200_000_000_000_000), st.integers(-23 * 60, 23 * 60), st.integers(0, 9))
def test_the_offset_does_not_change_the_instant(at: int, minutes: int, decimals: int) -> None:
    local = moment(at).astimezone(timezone(timedelta(minutes=minutes)))
    sign, whole = "-" if minutes < 0 else "+", abs(minutes)
    digits = f"{local.microsecond:06d}000"[:decimals]
    fraction = f".{digits}" if digits else ""
    text = f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{whole // 60:02d}:{whole % 60:02d}"
    assert parse(text) == at - local.microsecond + int(digits.ljust(6, "0")[:6] or 0)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-05-01T12:00:00", "2026-05-01T12:00:00,000250Z", "2026-W18-5T12:00:00.00025Z",
     "2026-05-01T25:00:00Z", "2026-05-01T12:00:61Z", "20260501T120000.000000000Z", "2026-05-01T12:00:00.00025xZ"],
)  # fmt: skip
def test_what_rfc3339_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


def test_a_leap_second_is_the_last_microsecond_before_the_next_minute() -> None:
    assert parse("2026-05-01T11:59:60.5Z") == NOON - 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_an_offset_that_leads_out_of_the_calendar_stops_at_its_end(text: str, written: str) -> None:
    assert rfc3339(parse(text)) == written


@given(st.integers(-(2**70), 2**70))
def test_every_number_can_be_written_as_a_time(at: int) -> None:
    assert FIRST <= micros(moment(at)) <= LAST
