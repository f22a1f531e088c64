"""Instants and durations of the API."""

from dashboard.api.instants import between, iso, seconds


def test_instants_are_rfc3339_in_utc() -> None:
    assert iso(1_790_000_000_000_250) == "2026-09-21T14:13:20.000250Z"
    assert iso(None) is None


def test_durations_are_seconds_with_three_decimals() -> None:
    assert seconds(1_234_567) == 1.235
    assert seconds(None) is None


def test_a_span_needs_both_ends() -> None:
    assert between(5, 7) == 2
    assert between(None, 7) is None
    assert between(5, None) is None
