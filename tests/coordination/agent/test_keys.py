"""Identifiers that come out the same each time."""

from coordination.agent.keys import child_id, idempotency_key, step_id


def test_a_sub_task_has_one_id_per_parent_step_and_index() -> None:
    assert child_id("t", "task:x", "search logs") == child_id("t", "task:x", "search logs")
    ids = {child_id(parent, step, "x", index) for parent in "ab" for step in "ab" for index in range(3)}
    assert len(ids) == 12


def test_a_sub_tasks_id_begins_with_its_type_and_fits_into_an_address() -> None:
    made = child_id("t", "s", "Search logs / eu-west!")
    assert made.startswith("search-logs-eu-west-")
    assert "/" not in made
    assert len(child_id("t", "s", "x" * 500)) <= 128
    assert child_id("t", "s", "…").startswith("task-")


def test_an_idempotency_key_fits_into_an_attribute_and_stays_unique() -> None:
    long, other = idempotency_key("t" * 128, "tool:a"), idempotency_key("t" * 128, "tool:b")
    assert len(long) <= 128
    assert long != other
    assert idempotency_key("t", "tool:a") == "t/tool:a"


def test_what_a_task_has_once_has_one_id() -> None:
    assert step_id("t", "fanout:x") == step_id("t", "fanout:x") != step_id("t", "fanout:y")
