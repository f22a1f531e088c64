"""Counting: moves, samples, and the failures that are kept."""

import random

from coordination.counting import add_sample, add_work, counted, keep_failure, move
from coordination.runs import FoldPart, RunPart
from coordination.tasks import Task
from tests.coordination.stories import Story


def test_a_move_takes_one_from_the_old_state_to_the_new_and_zeros_vanish() -> None:
    counts = {"requested": 2}
    move(counts, "requested", "working")
    assert counts == {"requested": 1, "working": 1}
    move(counts, "requested", None)
    assert counts == {"working": 1}


def test_a_part_that_was_lost_does_not_stop_the_counting() -> None:
    counts: dict[str, int] = {}
    move(counts, "working", "completed")
    assert counts == {"completed": 1}


def test_work_is_added_and_taken_off() -> None:
    part = RunPart(run_id="r", shard="s")
    add_work(part, (1, 2, 3, 4, 5), 1)
    add_work(part, (1, 0, 1, 0, 1), -1)
    assert (part.tool_calls, part.model_calls, part.tokens_in, part.tokens_out, part.cost) == (0, 2, 2, 4, 4)


def test_the_sample_of_a_fold_is_its_smallest_task_and_its_fan_outs_the_seven_smallest() -> None:
    story = Story()
    said = [story.request(f"t{number:02}", fanout_id=f"f{number:02}") for number in range(20)]
    for order in range(5):
        part = FoldPart(run_id="r", fold_key="k", shard="s")
        for event in random.Random(order).sample(said, len(said)):
            add_sample(part, event)
        assert part.sample is not None
        assert part.sample.task_id == "t00"
        assert part.first_at == said[0].at
        assert part.fanouts == tuple(f"f{number:02}" for number in range(7))


def test_a_sample_that_changes_nothing_says_so() -> None:
    story = Story()
    first, second = story.request("a"), story.request("b")
    part = FoldPart(run_id="r", fold_key="k", shard="s")
    assert add_sample(part, first)
    assert not add_sample(part, second)


def test_the_five_earliest_failures_are_kept_with_the_state_of_now() -> None:
    part = RunPart(run_id="r", shard="s")
    for at in (7, 3, 9, 1, 8, 2):
        keep_failure(part, Task(run_id="r", task_id=f"t{at}", state="failed"), at)
    keep_failure(part, Task(run_id="r", task_id="t3", state="completed"), 3)
    assert [(one.task_id, one.state) for one in part.failures] == [
        ("t1", "failed"),
        ("t2", "failed"),
        ("t3", "completed"),
        ("t7", "failed"),
        ("t8", "failed"),
    ]


def test_a_task_is_counted_by_place_state_and_work() -> None:
    task = Task(run_id="r", task_id="t", shard="12-1", fold_key="k", state="working", tokens_in=5)
    assert counted(task) == ("12-1", "k", "working", (0, 0, 5, 0, 0))
