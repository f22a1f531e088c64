"""Approval requests as the log tells them: versions, the first end, what the agent answered."""

from typing import Any

import pytest

from coordination.projection import Rows, fold
from coordination.requests import Request
from tests.coordination.stories import START, Story

HASH = "0" * 64


def asks(story: Story, version: int = 1, **data: Any) -> None:
    about = {"approval_id": "ap", "request_version": version, "content_hash": HASH, "action": {"name": "pay"}}
    story.say("approval.requested", task="t", attempt=2, agent_group="payer", agent_id="p-1", data=about | data)


def says(story: Story, name: str, version: int = 1, **data: Any) -> None:
    about = {"approval_id": "ap", "request_version": version}
    if name in ("approval.granted", "approval.denied"):
        about |= {"decision_id": "d", "decision": "approve"}
    story.say(name, task="t", data=about | data)


def folded(story: Story) -> Request:
    rows = Rows()
    fold(rows, reversed(story.events()) if len(story.partitions) > 1 else story.events())
    return rows.requests["ap"]


def test_a_request_is_what_the_agent_asked_with_its_fence_and_its_action_as_plain_json() -> None:
    story = Story()
    action = {"name": "pay", "target": "acme", "args": {"amount": "12.00"}}
    asks(story, action=action, risk="high", expires_at="2023-11-14T22:13:20Z", policy={"rule": "quorum", "quorum": 2})
    row = folded(story)
    assert (row.version, row.state, row.fence, row.agent_group, row.task_id) == (1, "pending", 2, "payer", "t")
    assert (row.action, row.risk, row.expires_at) == (action, "high", START)
    assert row.policy == {"rule": "quorum", "quorum": 2}


def test_a_higher_version_replaces_and_a_lower_one_is_ignored() -> None:
    story = Story()
    asks(story, 2, title="second")
    asks(story, 1, title="first")
    asks(story, 3, title="third")
    row = folded(story)
    assert (row.version, row.title, row.anomalies) == (3, "third", ())


def test_the_same_version_again_is_an_anomaly() -> None:
    story = Story()
    asks(story, title="first")
    asks(story, title="again")
    row = folded(story)
    assert (row.title, [one.name for one in row.anomalies]) == ("first", ["requested_again"])


@pytest.mark.parametrize("state", ["granted", "denied", "expired", "withdrawn"])
def test_the_first_end_of_a_version_wins(state: str) -> None:
    story = Story()
    asks(story)
    says(story, f"approval.{state}")
    says(story, "approval.denied")
    row = folded(story)
    assert (row.state, [one.name for one in row.anomalies]) == (state, ["decided_again"])


def test_the_end_of_an_old_version_does_not_end_the_new_one() -> None:
    story = Story()
    asks(story, 1)
    says(story, "approval.granted", 1)
    asks(story, 2)
    row = folded(story)
    assert (row.state, row.outcome) == ("pending", None)
    assert row.outcomes[1].state == "granted"


def test_a_fact_read_before_its_request_finds_its_place() -> None:
    story = Story()
    says(story, "approval.granted", 1)
    assert (folded(story).version, folded(story).task_id) == (0, "t")
    asks(story)
    assert folded(story).state == "granted"


@pytest.mark.parametrize("name", ["claimed", "deferred", "escalated", "vote.recorded"])
def test_what_does_not_decide_keeps_it_pending(name: str) -> None:
    story = Story()
    asks(story)
    says(story, f"approval.{name}")
    assert folded(story).state == "pending"


def test_decisions_on_their_way_and_their_answers_are_kept_on_request_and_task() -> None:
    story = Story()
    asks(story)
    decision = {"decision_id": "d", "approval_id": "ap"}
    sent = story.say("task.resume.requested", task="t", data=decision)
    story.say("decision.refused", task="t", data=decision | {"reason": "late"})
    rows = Rows()
    fold(rows, story.events())
    for row in (rows.requests["ap"], rows.tasks["run-1", "t"]):
        assert [(one.at, one.decision_id) for one in row.sent] == [(sent.at, "d")]
        assert [(one.outcome, one.reason) for one in row.receipts] == [("refused", "late")]


def test_an_answer_that_names_no_task_still_reaches_the_request() -> None:
    story = Story()
    story.say("decision.applied", data={"decision_id": "d", "approval_id": "ap"})
    rows = Rows()
    fold(rows, story.events())
    assert [one.outcome for one in rows.requests["ap"].receipts] == ["applied"]
    assert not rows.tasks


def test_a_decision_without_a_request_touches_the_task_only() -> None:
    story = Story()
    story.say("task.resume.requested", task="t")
    rows = Rows()
    fold(rows, story.events())
    assert not rows.requests
    assert len(rows.tasks["run-1", "t"].sent) == 1
