"""Summaries on the compacted topics are what the tables say, on both databases, and heal what was missed."""

import asyncio

import pytest

from coordination.manifest import Manifest
from coordination.memorylog import MemoryLog
from dashboard.databasethread import DatabaseThread
from dashboard.models import Agent, Run, SummaryCursor, Task
from dashboard.summaries import compare, due, newest, publish
from tests.traffic import Traffic

# Numbers of batches go on from test to test otherwise, and what is due is looked for so many numbers at a time.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)


def published(log: MemoryLog) -> int:
    async def all_of_it() -> int:
        database, turns = DatabaseThread("test"), 1
        while await publish(log, database):
            turns += 1
        await database.close()
        return turns

    return asyncio.run(all_of_it())


def test_every_row_has_its_summary_and_all_are_equal(tables: str, log: MemoryLog, append, drain) -> None:
    traffic = Traffic(3)
    for _ in range(2):
        append(traffic.records(400))
        assert drain()
        published(log)
    told = asyncio.run(newest(log))
    found = compare(told)
    assert (found.behind, found.different) == (0, [])
    assert {key[1:] for key in told if key[0] == "task"} == set(Task.objects.values_list("run_id", "task_id"))
    assert {key[1] for key in told if key[0] == "run"} == set(Run.objects.values_list("run_id", flat=True))
    assert {key[1] for key in told if key[0] == "agent"} <= set(Agent.objects.values_list("agent_id", flat=True))
    run = next(data for key, data in told.items() if key[0] == "run")
    assert run.as_of[Manifest().topic_named("run.task.events")]


def test_what_is_due_is_done_again_until_it_is_on_the_log(tables: str, log: MemoryLog, append, drain) -> None:
    append(Traffic(4).records(200))
    assert drain()
    first = due()
    assert first[1]
    assert [record.key for record in due()[1]] == [record.key for record in first[1]], "nothing was appended yet"
    published(log)
    assert due()[1] == []
    SummaryCursor.objects.update(batch_id=0)
    published(log)
    assert compare(asyncio.run(newest(log))).different == []


def test_a_summary_that_is_wrong_or_of_nothing_is_named(tables: str, log: MemoryLog, append, drain) -> None:
    append(Traffic(5).records(200))
    assert drain()
    published(log)
    told = asyncio.run(newest(log))
    task = Task.objects.defer("body").order_by("run_id", "task_id")[0]
    Task.objects.filter(pk=task.pk).update(state="nonsense")
    other = Task.objects.defer("body").order_by("-run_id", "-task_id")[0]
    Task.objects.filter(pk=other.pk).update(revision=other.revision + 1)
    run = Run.objects.order_by("run_id")[0]
    Run.objects.filter(pk=run.pk).delete()
    found = compare(told)
    assert found.behind == 1
    assert {each.key for each in found.different} == {f"task/{task.run_id}/{task.task_id}", f"run/{run.run_id}"}
