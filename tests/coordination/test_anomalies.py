"""Anomalies: the first in log order are kept, all are counted, whatever the order of reading."""

import random

from coordination.anomalies import KEPT, Anomaly, note, note_at
from coordination.tasks import Task
from tests.coordination.stories import Story


def test_an_anomaly_keeps_the_place_and_the_type_of_its_record() -> None:
    event = Story().say("task.started", task="t")
    task = Task(run_id="r", task_id="t")
    note(task, event, "after_end")
    assert task.anomalies == (Anomaly(event.topic, event.partition, 0, "after_end", "task.started", event.at),)


def test_the_first_in_log_order_are_kept_and_all_are_counted() -> None:
    marks = [("t", partition, offset) for partition in range(3) for offset in range(20)]
    for order in range(5):
        task = Task(run_id="r", task_id="t")
        for mark in random.Random(order).sample(marks, len(marks)):
            note_at(task, mark, "after_end", "task.started", 0)
        assert task.anomaly_count == 60
        assert [(one.topic, one.partition, one.offset) for one in task.anomalies] == marks[:KEPT]
