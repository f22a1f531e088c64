"""Rules of failures and of the attempts nobody wrote down."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.importers.temporalfailure import failure_of, unwritten_attempts

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ({"applicationFailureInfo": {"type": "ValueError"}}, "ValueError"),
        ({"applicationFailureInfo": {}}, "ApplicationError"),
        ({"timeoutFailureInfo": {"timeoutType": "StartToClose"}}, "TimeoutError(StartToClose)"),
        ({"canceledFailureInfo": {"details": None}}, "CanceledError"),
        ({"activityFailureInfo": {"activityType": {"name": "A"}}}, "ActivityError(A)"),
        ({"source": "GoSDK"}, "GoSDK"),
        ({}, "Error"),
    ],
)
def test_a_failure_has_the_type_its_info_tells(failure: dict[str, Any], kind: str) -> None:
    found = failure_of(failure)
    assert found is not None
    assert found.type == kind


def test_the_outermost_message_comes_first_and_its_causes_after_it() -> None:
    found = failure_of({"message": "a", "stackTrace": "s", "cause": {"message": "", "cause": {"message": "c"}}})
    assert found is not None
    assert (found.message, found.stack) == ("a\ncaused by: c", "s")


@pytest.mark.parametrize("nothing", [None, "x", 5, []])
def test_what_is_no_failure_is_none(nothing: Any) -> None:
    assert failure_of(nothing) is None


def test_the_waits_are_the_policys_and_the_rest_is_shared_evenly() -> None:
    policy = {"initialInterval": "1s", "backoffCoefficient": 3, "maximumInterval": "2s"}
    attempts = list(unwritten_attempts(0, 11 * SECOND, 4, policy))
    assert [(one.started_at, one.failed_at, one.next_at) for one in attempts] == [
        (0, 2 * SECOND, 3 * SECOND),
        (3 * SECOND, 5 * SECOND, 7 * SECOND),
        (7 * SECOND, 9 * SECOND, 11 * SECOND),
    ]


policies = st.one_of(
    st.none(),
    st.just("x"),
    st.fixed_dictionaries(
        {},
        optional={
            "initialInterval": st.sampled_from(["1s", "0.25s", "-5s", "nan", "inf", "1e300s", "x", None]),
            "backoffCoefficient": st.sampled_from([1, 2, 1.5, 0, 1e308, 10**400, "x", None, True]),
            "maximumInterval": st.sampled_from(["10s", "1e11s", "inf", "x", None]),
        },
    ),
)


@given(st.integers(0, 10**9), st.integers(-(10**6), 10**9), st.integers(1, 300), policies)
def test_attempts_lie_in_order_between_schedule_and_start(scheduled: int, span: int, attempt: int, policy: Any) -> None:
    attempts = list(unwritten_attempts(scheduled, scheduled + span, attempt, policy))
    assert [one.number for one in attempts] == list(range(max(1, attempt - 100), attempt))
    times = [time for one in attempts for time in (one.started_at, one.failed_at)]
    assert times == sorted(times)
    assert all(scheduled <= time <= max(scheduled, scheduled + span) + 1 for time in times)
