"""Why is this waiting: one sentence with evidence for every open task, and unknown where nothing speaks."""

from typing import Any

import pytest

from coordination.evidence import Ask, Evidence, Input, Queue
from coordination.joins import progress
from coordination.projection import Rows, fold
from coordination.tasks import Task
from coordination.waiting import REASONS, Link, Waiting, why
from tests.coordination.stories import SECOND, START, Story
from tests.coordination.timed import fan_out, timed

NOTHING = Evidence()


def at(second: float) -> int:
    return START + int(second * SECOND)


def told(*steps: tuple[int, str] | tuple[int, str, dict[str, Any]]) -> Task:
    """A task whose events came at these seconds."""
    story = Story()
    for second, name, *data in steps:
        about: dict[str, Any] = {"data": data[0]} if data else {}
        if name == "task.requested":
            about = {"data": {"task_type": "write"}, "target_group": "coder", "partition": 3} | about
        story.say(name, task="t", at=at(second), agent_id="coder-1", **about)
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


def asked(task: Task, evidence: Evidence, second: float) -> Waiting:
    found = why(task, evidence, at(second))
    assert found is not None
    assert found.reason in REASONS
    return found


REQUESTED = told((0, "task.requested"))
STARTED = told((0, "task.requested"), (5, "task.started"))
ASKS = {"reason": "approval", "approval_id": "ap"}
PAUSED = told((0, "task.requested"), (5, "task.started"), (10, "task.paused", ASKS))


@pytest.mark.parametrize("end", ["task.completed", "task.failed", "task.canceled", "task.expired"])
def test_a_task_that_has_ended_waits_for_nothing(end: str) -> None:
    assert why(told((0, "task.started"), (1, end)), NOTHING, at(5)) is None


def test_a_queued_task_names_the_records_ahead_and_the_group() -> None:
    queue = Queue(group="coder", commit=0, ahead=812, members=2, assigned=True, last_commit_at=at(72))
    found = asked(REQUESTED, Evidence(queue=queue), 252)
    assert found == Waiting(
        "queue",
        "waits 4 m 12 s: 812 records ahead on coord.run.task.commands-3@0; "
        "group coder has 2 members, last commit 3 m 00 s ago",
        Link("record", "coord.run.task.commands/3/0"),
    )


def test_the_next_in_line_is_told_so() -> None:
    found = asked(REQUESTED, Evidence(queue=Queue(group="coder", commit=0, ahead=0, members=1)), 2)
    assert found.text == "waits 2.0 s: next on coord.run.task.commands-3@0; group coder has 1 member"


def test_a_command_the_group_has_passed_without_a_word_is_told_so() -> None:
    found = asked(REQUESTED, Evidence(queue=Queue(group="coder", commit=7)), 2)
    assert found.text == "waits 2.0 s: group coder read it (its commit is 7) and nothing was heard"


def test_without_a_member_no_patience_helps() -> None:
    found = asked(REQUESTED, Evidence(queue=Queue(group="coder", commit=0, members=0)), 2)
    assert (found.reason, found.text) == ("no_worker", "waits 2.0 s: group coder has no member")
    assert found.link == Link("group", "coder")


def test_a_partition_that_no_member_has_is_named() -> None:
    found = asked(REQUESTED, Evidence(queue=Queue(group="coder", members=2, assigned=False)), 2)
    assert found.text == "waits 2.0 s: no member of group coder has partition coord.run.task.commands-3"


def test_members_that_cannot_be_read_are_not_taken_for_none() -> None:
    assert asked(REQUESTED, Evidence(queue=Queue(group="coder")), 2).reason == "unknown"


def test_what_it_needs_is_counted_and_the_first_missing_one_named() -> None:
    needs = [Input("a", "plan", "completed"), Input("b", "search", "working")]
    found = asked(REQUESTED, Evidence(needs=needs, queue=Queue(group="coder", members=0)), 2)
    assert found == Waiting(
        "waits_for_dependencies", "waits for what it needs: 1 of 2 done; search is working", Link("task", "b")
    )


@pytest.mark.parametrize("state", ["failed", "rejected", "expired", "canceled"])
def test_an_input_that_ended_badly_blocks(state: str) -> None:
    found = asked(REQUESTED, Evidence(needs=[Input("a", "plan", "working"), Input("b", "search", state)]), 2)
    assert found == Waiting("blocked_by_failure", f"blocked: search is {state}", Link("task", "b"))


def test_nobody_starts_work_after_its_time() -> None:
    story = Story()
    story.say("task.requested", task="t", data={"task_type": "w"}, expiry_at=at(10), at=at(0))
    rows = Rows()
    fold(rows, story.events())
    task = rows.tasks["run-1", "t"]
    assert asked(task, NOTHING, 5).reason == "unknown"
    found = asked(task, NOTHING, 30)
    assert (found.reason, found.text) == (
        "out_of_time",
        "its time ran out 20 s ago; nobody may start it any more",
    )


def test_accepted_and_not_started_is_the_agents_queue() -> None:
    found = asked(told((0, "task.requested"), (1, "task.accepted")), NOTHING, 5)
    assert (found.reason, found.text) == ("queue", "accepted 4.0 s ago by coder-1, not started")


def test_a_running_task_says_since_when_on_whom_and_at_what() -> None:
    task = told((0, "task.requested"), (5, "task.started"), (6, "task.progressed", {"step": "reading"}))
    assert asked(task, NOTHING, 65).text == "running for 1 m 00 s on coder-1: reading"


def test_an_agent_that_gives_no_sign_of_life_is_silent() -> None:
    evidence = Evidence(heartbeat_at=at(10), silence=30 * SECOND)
    assert asked(STARTED, evidence, 39).reason == "running"
    found = asked(STARTED, evidence, 100)
    assert (found.reason, found.text) == ("silent", "coder-1 started it and was last heard of 1 m 30 s ago")


def test_an_agent_without_heartbeats_is_not_called_silent() -> None:
    assert asked(STARTED, NOTHING, 9_999).reason == "running"


def test_a_parent_waits_for_what_it_asked_for() -> None:
    children = [Input("a", "search", "completed"), Input("b", "read", "requested")]
    found = asked(STARTED, Evidence(children=children), 9)
    assert found.reason == "waits_for_branches"
    assert found.text == "waits for what it asked for: 1 of 2 done; read is requested"


def test_the_opener_of_a_fan_out_waits_for_its_branches() -> None:
    branches = [timed("b0", 0, 0, 5, fanout="f", index=0), timed("b1", 0, 0, None, fanout="f", index=1)]
    join = progress(fan_out("f", "all"), branches)
    found = asked(STARTED, Evidence(join=join), 9)
    assert (found.reason, found.link) == ("waits_for_branches", Link("join", "f"))
    assert found.text == "waits for its branches: 1 of ≥ 2 arrived; 1 of ≥ 2 branches completed; more may come"


def test_a_join_that_cannot_complete_blocks_its_opener() -> None:
    branches = [timed("b0", 0, 0, 5, fanout="f", index=0, state="failed")]
    found = asked(STARTED, Evidence(join=progress(fan_out("f", "all"), branches)), 9)
    assert found.reason == "blocked_by_failure"


def test_a_retry_has_its_time() -> None:
    error = {"error": {"type": "Timeout"}, "next_attempt_at": "2023-11-14T22:14:20Z"}  # START + 60 s
    task = told((0, "task.requested"), (5, "task.started"), (10, "task.attempt.failed", error))
    found = asked(task, NOTHING, 30)
    assert (found.reason, found.text) == ("retry_timer", "attempt 2 in 30 s after Timeout")
    late = asked(task, Evidence(queue=Queue(group="coder", members=1)), 75)
    assert (late.reason, late.text) == (
        "queue",
        "attempt 2 was due 15 s ago after Timeout and has not started; group coder has 1 member",
    )


def test_a_retry_without_a_time_says_so() -> None:
    task = told((0, "task.requested"), (5, "task.started"), (10, "task.attempt.failed"))
    assert asked(task, NOTHING, 30).text == "attempt 2 follows; its time was not told"


def test_a_pause_for_approval_names_what_votes_are_missing_and_what_happens_at_the_end() -> None:
    ask = Ask(
        approval_id="ap",
        title="post status page update",
        votes=1,
        needed=2,
        groups=("comms",),
        expires_at=at(110),
        on_expiry="reject",
    )
    found = asked(PAUSED, Evidence(ask=ask), 50)
    assert found == Waiting(
        "needs_approval",
        "waits 40 s for a person: post status page update has 1 of 2 votes and needs one from comms; "
        "expires in 1 m 00 s, then: reject",
        Link("approval", "ap"),
    )


def test_an_approval_whose_request_was_not_read_is_still_a_wait_for_a_person() -> None:
    found = asked(PAUSED, NOTHING, 50)
    assert (found.reason, found.link) == ("needs_approval", Link("approval", "ap"))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("question", "needs_answer"), ("credentials", "needs_credentials"), ("odd", "needs_person")],
)
def test_each_kind_of_pause_has_its_reason(reason: str, expected: str) -> None:
    task = told((0, "task.started"), (10, "task.paused", {"reason": reason}))
    assert asked(task, NOTHING, 20).reason == expected


def test_a_decision_on_its_way_back_is_no_persons_fault() -> None:
    task = told(
        (0, "task.requested"),
        (5, "task.started"),
        (10, "task.paused", {"reason": "approval", "approval_id": "ap"}),
        (40, "task.resume.requested", {"decision_id": "d", "approval_id": "ap"}),
    )
    found = asked(task, Evidence(queue=Queue(group="coder", members=3)), 50)
    assert found.reason == "decision_returning"
    assert found.text.startswith("decided; the decision was sent 10 s ago (coord.run.decision.commands-")
    assert found.text.endswith("the agent has not resumed; group coder has 3 members")


def test_a_decision_before_the_pause_does_not_answer_it() -> None:
    task = told(
        (0, "task.started"),
        (5, "task.resume.requested", {"decision_id": "d"}),
        (10, "task.paused", {"reason": "approval"}),
    )
    assert asked(task, NOTHING, 20).reason == "needs_approval"


def test_unknown_is_a_reason() -> None:
    found = asked(told((0, "task.progressed")), NOTHING, 9)
    assert (found.reason, found.text) == ("unknown", "waits: nothing that was read says why")
