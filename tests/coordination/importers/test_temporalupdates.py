"""Rules of updates as approval requests."""

from collections import Counter

from tests.coordination.importers.histories import START, entry, events_of, told
from tests.coordination.recordings import folded, named


def test_ten_updates_are_ten_requests_all_granted() -> None:
    events = events_of("multiple-updates")
    assert [request.state for request in folded(events).requests.values()] == ["granted"] * 10
    assert Counter(event.name for event in events)["approval.requested"] == 10


def test_ten_updates_that_end_in_failure_are_all_denied() -> None:
    events = events_of("multiple-updates-canceled")
    assert [request.state for request in folded(events).requests.values()] == ["denied"] * 10
    assert {event.data.comment for event in named(events, "approval.denied")} == {"canceled"}


def test_an_update_nobody_answered_is_withdrawn_when_the_run_ends_and_a_rejected_one_is_denied() -> None:
    update = {"meta": {"updateId": "u"}, "input": {"name": "ask", "args": {"payloads": [{"big": 2**60}]}}}
    events = told(
        START,
        entry(2, "WorkflowExecutionUpdateAccepted", acceptedRequest=update),
        entry(3, "WorkflowExecutionUpdateRejected", rejectedRequest={}, failure={"message": "no"}),
        entry(4, "WorkflowExecutionUpdateCompleted", acceptedEventId="99", outcome={"success": {}}),
        entry(5, "WorkflowExecutionTerminated", reason="x"),
    )
    assert Counter(event.name for event in events)["approval.requested"] == 3
    states = Counter(request.state for request in folded(events).requests.values())
    assert states == {"withdrawn": 1, "denied": 1, "granted": 1}
