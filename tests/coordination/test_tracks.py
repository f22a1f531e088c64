"""The task state machine against a tiny model of its own, and what happens to facts that come late or twice."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.projection import Rows, fold
from coordination.tasks import TRANSITIONS, Task
from tests.coordination.stories import Story, interleaved

OPEN_STATES = ("new", "requested", "submitted", "working", "retry_wait", "input_required", "auth_required")
CLOSING = ("completed", "failed", "canceled", "expired", "rejected", "retry_wait")
ENDS = {
    "task.completed": "completed",
    "task.failed": "failed",
    "task.canceled": "canceled",
    "task.expired": "expired",
}


class Model:
    """The protocol's table, told a second time and in another way: what a reader of the page would do."""

    def __init__(self) -> None:
        self.state, self.attempt, self.refused, self.undone = "new", 0, 0, "none"
        self.running = False

    def hear(self, name: str, attempt: int | None, reason: str) -> None:
        after = self.after(name, reason)
        if after is None:
            if name == "task.started" and self.state == "working":
                self.taken_over(attempt)
            self.refused += 1
            return
        if name == "task.started" or (name == "task.attempt.failed" and not self.running):
            self.refused += attempt not in (None, self.attempt + 1)
            self.attempt = attempt or self.attempt + 1
        elif name == "task.attempt.failed":
            self.refused += attempt not in (None, self.attempt)
        self.running = name == "task.started" or (self.running and after not in CLOSING)
        if name in ("task.invalidated", "task.reopened"):
            self.undone = "none"
        self.state = after

    def taken_over(self, attempt: int | None) -> None:
        # One agent tells these stories, so the same number again is the same start again.
        if not self.running or attempt not in (None, self.attempt):
            self.refused += attempt not in (None, self.attempt + 1)
            self.attempt = attempt or self.attempt + 1
        self.running = True

    def after(self, name: str, reason: str) -> str | None:
        open_now = self.state in OPEN_STATES
        if name in ENDS:
            return ENDS[name] if open_now else None
        if name in ("task.invalidated", "task.reopened"):
            return None if open_now else "requested"
        if name in UNDOING:
            return None if open_now else self.undo(name)
        if name == "task.escalated":
            return "input_required" if open_now else None
        if name in UNCHANGED:
            return self.state if open_now else None
        return self.step(name, reason)

    def undo(self, name: str) -> str | None:
        allowed, after = UNDOING[name]
        if self.undone not in allowed:
            return None
        self.undone = after
        return self.state

    def step(self, name: str, reason: str) -> str | None:
        fresh = self.state in ("new", "requested")
        if name == "task.accepted":
            return "submitted" if fresh else None
        if name == "task.started":
            return "working" if fresh or self.state in ("submitted", "retry_wait") else None
        if name == "task.rejected":
            return "rejected" if fresh or self.state in ("submitted", "working") else None
        if name == "task.resumed":
            return "working" if self.state.endswith("_required") else None
        if self.state != "working":
            return None
        if name == "task.paused":
            return "auth_required" if reason == "credentials" else "input_required"
        assert name == "task.attempt.failed"
        return "retry_wait"


UNCHANGED = "task.assigned task.released task.progressed task.checkpointed task.artifact.produced task.cancel.declined"
UNDOING = {
    "task.compensation.started": (("none", "failed"), "running"),
    "task.compensated": (("none", "running"), "compensated"),
    "task.compensation.failed": (("none", "running"), "failed"),
}
facts = st.tuples(
    st.sampled_from(sorted(TRANSITIONS)),
    st.one_of(st.none(), st.integers(1, 4)),
    st.sampled_from(("approval", "credentials", "question")),
)


@settings(max_examples=max(400, settings().max_examples))
@given(st.lists(facts, max_size=25), st.booleans())
def test_the_state_is_what_the_protocol_table_says(told: list[tuple[str, int | None, str]], commanded: bool) -> None:
    story, model = Story(), Model()
    for name, attempt, reason in told:
        data = {"reason": reason} if name == "task.paused" else {}
        story.say(name, task="t", attempt=attempt, data=data, agent_id="a")
        model.hear(name, attempt, reason)
    if commanded:
        story.request("t")
    rows = Rows()
    fold(rows, story.events())
    task = rows.tasks.get(("run-1", "t"), Task(run_id="run-1", task_id="t"))
    unheard = "requested" if commanded else "unknown"
    assert task.state == (unheard if model.state == "new" else model.state)
    assert (task.attempt, task.compensated, task.anomaly_count) == (model.attempt, model.undone, model.refused)


def told(*names: str, **attributes: Any) -> Task:
    """A task after these facts."""
    story = Story()
    for name in names:
        story.say(name, task="t", agent_id="a", **attributes)
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


def test_the_first_terminal_fact_wins_and_the_second_is_kept_with_its_position() -> None:
    task = told("task.started", "task.completed", "task.failed")
    assert task.state == "completed"
    assert [(one.name, one.event, one.offset) for one in task.anomalies] == [("after_end", "task.failed", 2)]


@pytest.mark.parametrize("name", ["task.invalidated", "task.reopened"])
def test_an_end_that_is_taken_back_sets_the_task_to_requested_and_is_remembered(name: str) -> None:
    task = told("task.started", "task.completed", name)
    assert (task.state, task.ended_at, task.output) == ("requested", None, None)
    assert [(one.state, one.by) for one in task.endings] == [("completed", name)]


def test_a_start_while_an_attempt_runs_abandons_that_attempt_and_shows_the_new_one() -> None:
    story = Story()
    story.say("task.started", task="t", agent_id="a", attempt=1)
    heard = story.say("task.progressed", task="t", agent_id="a").at
    story.say("task.started", task="t", agent_id="b", attempt=2)
    rows = Rows()
    fold(rows, story.events())
    task = rows.tasks["run-1", "t"]
    assert [(one.number, one.agent_id, one.outcome) for one in task.attempts] == [(1, "a", "abandoned"), (2, "b", "")]
    assert task.attempts[0].heard_at == heard
    assert [one.name for one in task.anomalies] == ["started_again"]


def test_the_same_start_again_is_no_new_attempt() -> None:
    task = told("task.started", "task.started", attempt=1)
    assert (len(task.attempts), task.attempt) == (1, 1)
    assert [one.name for one in task.anomalies] == ["started_again"]


def test_an_attempt_number_that_skips_is_believed_and_flagged() -> None:
    task = told("task.started", attempt=3)
    assert task.attempt == 3
    assert [one.name for one in task.anomalies] == ["attempt_disagrees"]


LIFE = (
    "task.accepted",
    "task.started",
    "task.paused",
    "task.resumed",
    "task.attempt.failed",
    "task.started",
    "task.completed",
    "task.reopened",
    "task.started",
    "task.progressed",
    "task.completed",
)


@given(st.integers(0, len(LIFE)), st.sets(st.integers(0, len(LIFE) - 1)), st.integers(0, 99))
def test_duplicates_on_another_partition_change_nothing_but_the_flag(length: int, again: set[int], order: int) -> None:
    story = Story()
    said = [story.say(name, task="t", agent_id="a") for name in LIFE[:length]]
    alone = Rows()
    fold(alone, story.events())
    doubles = [event for index, event in enumerate(said) if index in again]
    for event in doubles:
        story.append(event, event.topic, (event.partition + 1) % 12)
    both = Rows()
    fold(both, interleaved(story, random.Random(order)))
    if doubles:
        task, before = both.tasks["run-1", "t"], alone.tasks["run-1", "t"]
        assert task.split
        shown = ("state", "attempt", "attempts", "ended_at", "pauses", "endings", "started_at", "accepted_at", "error")
        assert {name: getattr(task, name) for name in shown} == {name: getattr(before, name) for name in shown}


def test_facts_spread_over_partitions_still_end_the_task() -> None:
    story = Story()
    for partition, name in enumerate(("task.accepted", "task.started", "task.progressed", "task.completed")):
        story.say(name, task="t", agent_id="a", partition=partition)
    rows = Rows()
    fold(rows, reversed(story.events()))
    task = rows.tasks["run-1", "t"]
    assert task.state == "completed"
    assert task.started_at is not None
    assert task.accepted_at is not None
    assert task.accepted_at < task.started_at


def test_without_the_command_facts_tell_the_group_and_with_it_they_do_not() -> None:
    story = Story()
    story.say("task.started", task="t", agent_group="reviewer", parent_task_id="p", fanout_id="f", fanout_index=2)
    rows = Rows()
    fold(rows, story.events())
    task = rows.tasks["run-1", "t"]
    assert (task.agent_group, task.parent_task_id, task.fanout_id, task.fanout_index) == ("reviewer", "p", "f", 2)
    fold(rows, [story.request("t", group="coder")])
    assert (task.agent_group, task.parent_task_id, task.fanout_id, task.fanout_index) == ("coder", "", "", None)


def test_a_task_tried_for_ever_keeps_its_first_and_its_latest_attempts() -> None:
    task = told(*["task.started", "task.attempt.failed"] * 80)
    numbers = [one.number for one in task.attempts]
    assert (numbers[0], numbers[1], numbers[-1], len(numbers)) == (1, 32, 80, 50)
