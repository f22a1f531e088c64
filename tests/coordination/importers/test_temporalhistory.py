"""Rules of wrappings and spellings."""

from typing import Any

import pytest

from coordination.importers.temporalhistory import events_in, history, number_of, payloads, seconds_of

ENTRY = {"eventId": "1", "eventTime": "2026-05-01T12:00:00Z", "eventType": "TimerFired"}


@pytest.mark.parametrize(
    "content", [[ENTRY], {"events": [ENTRY]}, {"history": {"events": [ENTRY]}}, {"history": [ENTRY]}]
)
def test_all_wrappings_are_seen_through(content: Any) -> None:
    assert events_in(content) == [ENTRY]


@pytest.mark.parametrize("content", [None, 5, [], {}, {"events": {}}, [5], [{}], {"events": [{"type": "x"}]}])
def test_what_is_no_history_is_none(content: Any) -> None:
    assert events_in(content) is None


@pytest.mark.parametrize("kind", ["EVENT_TYPE_TIMER_FIRED", "TimerFired"])
def test_both_spellings_are_one_type(kind: str) -> None:
    [native] = history([{**ENTRY, "eventType": kind}])
    assert (native.type, native.known) == ("TimerFired", True)


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (12, 12), ("", 0), (None, 0), ("x", 0), (True, 0), (-1, 0), ("1" * 30, 0), (1.5, 0)],
)
def test_a_number_is_read_from_text_or_number(value: Any, number: int) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1s", 1.0), ("0.5s", 0.5), (None, 9.0), ("x", 9.0), ("-1s", 9.0), ("nan", 9.0), ("inf", 9.0), ("1e99s", 9.0)],
)
def test_a_duration_is_read_or_replaced(value: Any, seconds: float) -> None:
    assert seconds_of(value, 9.0) == seconds


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJhIjoxfQ=="}, {"a": 1}),
        ({"metadata": {"encoding": "YmluYXJ5L251bGw="}, "data": None}, None),
        ({"metadata": {}}, None),
        ({"metadata": {}, "data": "!!"}, {"metadata": {}, "data": "!!"}),
        ({"metadata": {}, "data": "/w=="}, {"metadata": {}, "data": "/w=="}),
        (1656683778738403300, 1656683778738403300),
        ({"ID": "x"}, {"ID": "x"}),
    ],
)
def test_a_payload_is_its_json_or_itself(payload: Any, value: Any) -> None:
    assert payloads({"payloads": [payload]}) == [value]
