"""Calls count when they end, once each, with what they used."""

from coordination.calls import COUNTED_ONCE, MOST_COST, digest
from coordination.projection import Rows, fold
from coordination.tasks import Task
from tests.coordination.stories import Story

CALL = {"tool_call_id": "c", "tool_name": "search"}


def folded(story: Story) -> Task:
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


def test_a_call_counts_when_it_ends() -> None:
    story = Story()
    story.say("tool.call.started", task="t", data=CALL)
    assert folded(story).tool_calls == 0
    story.say("tool.call.completed", task="t", data=CALL | {"tokens_in": 3, "cost": "0.5"})
    task = folded(story)
    assert (task.tool_calls, task.tool_failures, task.tokens_in, task.cost) == (1, 0, 3, 500_000)


def test_what_failed_or_was_stopped_is_a_failure() -> None:
    story = Story()
    for name in ("failed", "canceled", "expired", "blocked"):
        story.say(f"tool.call.{name}", task="t", data=CALL)
    task = folded(story)
    assert (task.tool_calls, task.tool_failures) == (4, 4)


def test_model_calls_are_counted_apart() -> None:
    story = Story()
    story.say("model.call.completed", task="t", data={"model": "m", "tokens_in": 5, "tokens_out": 7})
    task = folded(story)
    assert (task.model_calls, task.tool_calls, task.tokens_in, task.tokens_out) == (1, 0, 5, 7)


def test_cost_is_exact_to_the_millionth_and_rounded_half_to_even_past_it() -> None:
    story = Story()
    for cost in ("12", "0.1", "0.000001", "0.0000005", "0.0000015", "99999999.999999"):
        story.say("model.call.completed", task="t", data={"model": "m", "cost": cost})
    assert folded(story).cost == 12_000_000 + 100_000 + 1 + 0 + 2 + 99_999_999_999_999


def test_sums_stop_at_a_bound_that_tables_can_hold() -> None:
    story = Story()
    for _ in range(3):
        much = {"model": "m", "cost": "999999999999.999999", "tokens_in": 2**31 - 1, "tokens_out": 1}
        story.say("model.call.completed", task="t", data=much)
    assert folded(story).cost == MOST_COST


def test_a_call_is_a_sign_of_life_and_changes_no_state() -> None:
    story = Story()
    at = story.say("tool.call.started", task="t", data=CALL).at
    task = folded(story)
    assert (task.seen_at, task.state, task.fact_state) == (at, "unknown", "")


def test_the_same_id_from_two_sources_is_two_calls() -> None:
    story = Story()
    for source in ("/a", "/b"):
        story.say("model.call.completed", task="t", id="same", source=source, data={"model": "m"})
    assert folded(story).model_calls == 2


def test_digests_tell_calls_apart() -> None:
    digests = {digest(f"/agents/{source}", f"e-{number}") for source in range(20) for number in range(5_000)}
    assert len(digests) == 100_000
    assert max(digests) < 1 << 64


def test_past_the_limit_calls_still_count() -> None:
    story = Story()
    for _ in range(COUNTED_ONCE + 10):
        story.say("model.call.completed", task="t", data={"model": "m"})
    task = folded(story)
    assert task.model_calls == COUNTED_ONCE + 10
    assert len(task.called or ()) == COUNTED_ONCE
