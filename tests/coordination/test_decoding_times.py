"""Rules of time when reading: which clock counts, and what is said of a wrong one."""

import pytest

from coordination.decoding import decode
from coordination.errors import MalformedRecord
from coordination.eventlog import CREATE_TIME, StoredRecord
from tests.coordination.wire import NOON, TIME_MICROS, record


def refused(bad: StoredRecord) -> MalformedRecord:
    with pytest.raises(MalformedRecord) as caught:
        decode(bad)
    return caught.value


@pytest.mark.parametrize("attribute", ["time", "expirytime"])
@pytest.mark.parametrize(
    "text", ["yesterday", "2026-05-01", "2026-05-01T12:00:00", "2026-13-01T00:00:00Z", "1777636800"]
)
def test_an_unparseable_time_is_malformed(attribute: str, text: str) -> None:
    assert refused(record(**{attribute: text})).attribute == attribute


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-05-01T12:00:00Z", NOON),
        ("2026-05-01t12:00:00z", NOON),
        ("2026-05-01T14:00:00+02:00", NOON),
        ("2026-05-01T12:00:00.1Z", NOON + 100_000),
        ("2026-05-01T12:00:00.123456789Z", NOON + 123_457),
        ("2026-05-01T11:59:60Z", NOON - 1),
        ("1969-12-31T23:59:59.000000Z", -1_000_000),
    ],
)
def test_times_of_any_offset_and_precision_become_utc_microseconds(text: str, micros: int) -> None:
    assert decode(record(time=text)).time == micros


def test_the_fold_uses_append_time_where_the_log_stamps_it() -> None:
    assert decode(record(timestamp=NOON // 1000 + 7)).at == NOON + 7000


def test_the_fold_uses_the_event_time_where_the_log_does_not_stamp() -> None:
    for kind in (CREATE_TIME, None):
        assert decode(record(timestamp=5, timestamp_type=kind)).at == TIME_MICROS


@pytest.mark.parametrize(("basis", "derived"), [("recorded", False), ("derived", True)])
def test_an_import_keeps_its_own_time_although_the_log_stamps(basis: str, derived: bool) -> None:
    event = decode(record(timebasis=basis, timestamp=NOON // 1000 + 10**9))
    assert (event.at, event.derived, event.extensions["timebasis"]) == (TIME_MICROS, derived, basis)


def test_another_time_basis_changes_nothing() -> None:
    assert decode(record(timebasis="guessed")).at == NOON


def test_a_time_more_than_five_minutes_ahead_is_flagged_not_refused() -> None:
    ahead = {"time": "2026-05-01T12:05:00.000001Z"}
    assert decode(record(**ahead)).flags == ("time_ahead",)
    assert decode(record(time="2026-05-01T12:05:00Z")).flags == ()


def test_without_append_time_the_skew_is_measured_against_now() -> None:
    claimed = record(timestamp_type=CREATE_TIME)
    assert decode(claimed, now=NOON - 3_600_000_000).flags == ("time_ahead",)
    assert decode(claimed, now=NOON).flags == ()
    assert decode(claimed).flags == ()


def test_append_time_beats_now_so_that_reading_again_gives_the_same_flags() -> None:
    assert decode(record(), now=0).flags == ()
