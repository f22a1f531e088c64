"""A batch: rows as they are touched, and what follows at its end."""

from coordination.batch import Batch
from coordination.rows import Rows
from tests.coordination.stories import Story


def entered(rows: Rows, story: Story) -> Batch:
    batch = Batch(rows)
    (place,) = story.partitions
    batch.enter(*place)
    return batch


def test_rows_that_were_not_touched_stay_as_they_are() -> None:
    rows, story = Rows(), Story()
    event = story.say("task.started", task="a")
    first = entered(rows, story)
    first.task(event)
    first.close()
    touched = entered(rows, story).close()
    assert (touched.tasks, rows.tasks["run-1", "a"].revision) == (set(), 1)


def test_a_row_that_exists_is_used_and_not_made_anew() -> None:
    rows, story = Rows(), Story()
    event = story.say("task.started", task="a")
    batch = entered(rows, story)
    task = batch.task(event)
    assert batch.task(event) is task
    assert entered(rows, story).task(event) is task


def test_until_the_command_is_read_a_task_counts_on_the_smallest_shard_it_was_seen_on() -> None:
    rows, story = Rows(), Story()
    event = story.say("task.started", task="a", partition=5)
    batch = Batch(rows)
    for partition in (5, 3, 4):
        batch.enter(event.topic, partition)
        batch.task(event)
    assert rows.tasks["run-1", "a"].shard == "12-3"


def test_a_fold_part_that_holds_nothing_any_more_is_gone() -> None:
    rows = Rows()
    batch = Batch(rows)
    batch.fold_part("r", "", "12-1")
    touched = batch.close()
    assert (touched.gone, touched.fold_parts, rows.fold_parts) == ({("r", "", "12-1")}, set(), {})


def test_dead_letter_topics_are_known_as_such() -> None:
    batch = Batch(Rows())
    batch.enter("dlq.coord.run", 1)
    assert (batch.dead, batch.shard) == (True, "3-1")
    batch.enter("coord.run.task.events", 1)
    assert not batch.dead
