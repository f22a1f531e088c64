"""Where a task's time went: phases tile its wall time, whatever the clocks say."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.delays import PHASES, Delays, delays
from coordination.projection import Rows, fold
from coordination.tasks import Task
from tests.coordination.everything import everything, layout
from tests.coordination.stories import SECOND, START, Story


def told(*steps: tuple[int, str] | tuple[int, str, dict[str, Any]]) -> Task:
    """A task whose events came at these seconds."""
    story = Story()
    for second, name, *data in steps:
        about = {"data": data[0]} if data else {"data": {"task_type": "write"}} if name == "task.requested" else {}
        story.say(name, task="t", at=START + second * SECOND, agent_id="a", **about)
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


def seconds(found: Delays) -> dict[str, float]:
    return {phase: length / SECOND for phase, length in found.parts().items()}


def at(second: float) -> int:
    return START + int(second * SECOND)


def test_a_task_from_request_to_end_is_broker_queue_and_execution() -> None:
    task = told((0, "task.requested"), (2, "task.accepted"), (5, "task.started"), (15, "task.completed"))
    assert seconds(delays(task, at(99))) == {"in_broker": 2, "agent_queue": 3, "execution": 10}


def test_without_accepted_broker_and_queue_are_one_phase() -> None:
    task = told((0, "task.requested"), (5, "task.started"), (6, "task.completed"))
    assert seconds(delays(task, at(99))) == {"in_broker": 5, "execution": 1}


def test_an_open_task_runs_until_now() -> None:
    task = told((0, "task.requested"), (5, "task.started"))
    assert seconds(delays(task, at(60))) == {"in_broker": 5, "execution": 55}


def test_back_off_ends_when_the_retry_is_due_and_the_rest_is_the_queue() -> None:
    due = {"next_attempt_at": "2023-11-14T22:13:50Z"}  # ten seconds after START + 20 s
    task = told(
        (0, "task.requested"),
        (0, "task.started"),
        (20, "task.attempt.failed", due),
        (33, "task.started"),
        (40, "task.completed"),
    )
    assert seconds(delays(task, at(99))) == {"agent_queue": 3, "execution": 27, "retry_backoff": 10}
    assert [span.attempt for span in delays(task, at(99)).spans] == [1, 1, 1, 2]


def test_review_lasts_until_the_decision_is_sent_and_returns_until_the_agent_resumes() -> None:
    task = told(
        (0, "task.requested"),
        (0, "task.started"),
        (10, "task.paused", {"reason": "approval"}),
        (70, "task.resume.requested", {"decision_id": "d"}),
        (73, "task.resumed"),
        (80, "task.completed"),
    )
    assert seconds(delays(task, at(99))) == {"execution": 17, "human_review": 60, "decision_returning": 3}


def test_a_pause_that_nobody_ended_lasts_until_the_end() -> None:
    task = told((0, "task.requested"), (0, "task.started"), (10, "task.paused"), (30, "task.canceled"))
    assert seconds(delays(task, at(99))) == {"execution": 10, "human_review": 20}


def test_an_agent_that_died_worked_until_its_last_sign_of_life() -> None:
    story = Story()
    story.request("t", at=at(0))
    story.say("task.started", task="t", at=at(0), agent_id="a")
    story.say("task.progressed", task="t", at=at(4), agent_id="a")
    story.say("task.started", task="t", at=at(60), agent_id="b", attempt=2)
    story.say("task.completed", task="t", at=at(70), agent_id="b")
    rows = Rows()
    fold(rows, story.events())
    task = rows.tasks["run-1", "t"]
    assert seconds(delays(task, at(99))) == {"execution": 14, "unattributed": 56}


def test_an_end_that_was_taken_back_is_followed_by_time_that_nothing_explains() -> None:
    task = told(
        (0, "task.requested"),
        (1, "task.started"),
        (2, "task.completed"),
        (12, "task.invalidated"),
        (15, "task.started"),
        (16, "task.completed"),
    )
    assert seconds(delays(task, at(99))) == {"in_broker": 4, "execution": 2, "unattributed": 10}


def test_a_result_without_a_start_is_unattributed() -> None:
    task = told((0, "task.requested"), (9, "task.completed"))
    assert seconds(delays(task, at(99))) == {"unattributed": 9}


def test_a_task_canceled_before_it_began_waited_in_the_broker() -> None:
    task = told((0, "task.requested"), (9, "task.canceled"))
    assert seconds(delays(task, at(99))) == {"in_broker": 9}


def test_clocks_that_disagree_are_clamped_in_causal_order_and_told() -> None:
    story = Story()
    story.say("task.requested", task="t", at=at(10), data={"task_type": "write"})
    story.say("task.accepted", task="t", at=at(7))
    story.say("task.started", task="t", at=at(12))
    story.say("task.completed", task="t", at=at(20))
    rows = Rows()
    fold(rows, story.events())
    found = delays(rows.tasks["run-1", "t"], at(99))
    assert seconds(found) == {"agent_queue": 2, "execution": 8}
    assert found.skew == 3 * SECOND


@settings(max_examples=max(200, settings().max_examples))
@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(-60, 600))
def test_phases_are_never_negative_and_tile_the_wall_time(seed: int, size: int, now: int) -> None:
    story = everything(seed, size)
    rows = Rows(layout())
    fold(rows, story.events())
    for task in rows.tasks.values():
        found = delays(task, story.at + now * SECOND)
        assert sum(found.parts().values()) == found.wall >= 0
        assert set(found.parts()) <= set(PHASES)
        edges = [found.start, *(span.end for span in found.spans)]
        assert [span.start for span in found.spans] == edges[:-1]
        assert edges[-1] == found.end
        assert all(span.length > 0 for span in found.spans)
