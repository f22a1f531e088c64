"""Idempotency: what is new, what was seen before, what may be done again."""

import asyncio

import msgspec

from coordination.agent import Fatal, TaskContext
from coordination.eventlog import NewRecord, Record
from coordination.partitioner import partition_for
from tests.coordination.agent.stage import Stage


def copy(record: Record, *headers: tuple[str, bytes]) -> NewRecord:
    """The same bytes again."""
    return NewRecord(record.topic, record.key, record.value, (*record.headers, *headers))


def with_header(record: Record | NewRecord, name: str, value: str) -> NewRecord:
    """The same record with one header changed."""
    headers = tuple((key, value.encode() if key == name else old) for key, old in record.headers)
    return NewRecord(record.topic, record.key, record.value, headers)


async def counted(stage: Stage) -> list[str]:
    """An agent that counts what it does; returns the list of task ids done."""
    done: list[str] = []
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        done.append(task.task_id)

    stage.start(agent)
    return done


async def quiet(stage: Stage) -> None:
    """Wait until everything polled has been dealt with."""
    await stage.client.request("run-1", "refund", "payer", task_id="last")
    await stage.until("task.completed", task_id="last")


async def test_the_same_event_again_is_dropped(stage: Stage) -> None:
    done = await counted(stage)
    task_id = await stage.client.request("run-1", "refund", "payer")
    await stage.until("task.completed")
    (command,) = await stage.records("run.task.commands")
    await stage.put(copy(command), copy(command))
    await quiet(stage)
    assert done.count(task_id) == 1


async def test_the_same_request_as_another_event_is_dropped(stage: Stage) -> None:
    done = await counted(stage)
    await stage.client.request("run-1", "refund", "payer", task_id="t", key="k", input={"n": 1})
    await stage.until("task.completed")
    await stage.client.request("run-1", "refund", "payer", task_id="t", key="k", input={"n": 1})
    await quiet(stage)
    assert done.count("t") == 1
    assert await stage.records("dlq.run") == []


async def test_another_request_for_the_same_task_is_a_conflict_and_kept_as_dead_letter(stage: Stage) -> None:
    done = await counted(stage)
    await stage.client.request("run-1", "refund", "payer", task_id="t", key="k", input={"n": 1})
    await stage.until("task.completed")
    await stage.client.request("run-1", "refund", "payer", task_id="t", key="k", input={"n": 2})
    await quiet(stage)
    (letter,) = await stage.records("dlq.run")
    assert dict(letter.headers)["coordination.errors.code"] == b"idempotency_conflict"
    assert done.count("t") == 1
    assert "task.rejected" not in await stage.told("t")


async def test_the_same_request_under_another_task_id_is_rejected_so_that_it_ends(stage: Stage) -> None:
    done = await counted(stage)
    # Both ids must fall on one partition, which is as far as the rule goes.
    same = [f"t{n}" for n in range(200) if partition(f"t{n}") == partition("t0")][:2]
    for task_id in same:
        await stage.client.request("run-1", "refund", "payer", task_id=task_id, key="k")
    (rejected,) = await stage.until("task.rejected")
    await stage.until("task.completed")
    assert rejected.task_id == same[1]
    assert "used before to ask for the same" in rejected.data.reason
    assert done == same[:1]
    assert await stage.records("dlq.run") == []


async def test_two_copies_at_once_are_done_once(stage: Stage) -> None:
    done = await counted(stage)
    task_id = await stage.client.request("run-1", "refund", "payer")
    (command,) = await stage.records("run.task.commands")
    await stage.put(*(copy(command) for _ in range(20)))
    await quiet(stage)
    assert done.count(task_id) == 1


async def test_a_redriven_command_of_a_failed_task_is_done_again(stage: Stage) -> None:
    broken = True
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        if broken:
            raise Fatal("The bank is closed.")

    stage.start(agent)
    task_id = await stage.client.request("run-1", "refund", "payer")
    await stage.until("task.failed")
    broken = False
    (command,) = await stage.records("run.task.commands")
    await stage.put(copy(command, ("coordination-redrive-count", b"1")))
    await stage.until("task.completed")
    assert await stage.told(task_id) == [
        "task.accepted",
        "task.started",
        "task.failed",
        "task.reopened",
        "task.accepted",
        "task.started",
        "task.completed",
    ]
    assert (await stage.task(task_id)).attempt == 2


async def test_a_redriven_command_of_a_completed_task_is_dropped(stage: Stage) -> None:
    done = await counted(stage)
    task_id = await stage.client.request("run-1", "refund", "payer")
    await stage.until("task.completed")
    (command,) = await stage.records("run.task.commands")
    await stage.put(copy(command, ("coordination-redrive-count", b"1")))
    await quiet(stage)
    assert done.count(task_id) == 1


async def test_nothing_is_begun_after_its_expiry(stage: Stage) -> None:
    done = await counted(stage)
    await stage.client.request("run-1", "refund", "payer", expires_in=-1)
    (expired,) = await stage.until("task.expired")
    assert done == []
    assert expired.data.deadline is not None
    assert await stage.records("dlq.run") == []


async def test_a_command_that_cannot_be_read_becomes_a_dead_letter_and_the_next_is_done(stage: Stage) -> None:
    done = await counted(stage)
    await stage.client.request("run-1", "refund", "payer", task_id="good")
    (good,) = await stage.records("run.task.commands")
    await stage.put(
        with_header(good, "ce_time", "yesterday"),
        with_header(good, "ce_specversion", "7"),
        NewRecord(good.topic, good.key, b"{not json", tuple(good.headers)),
        NewRecord(good.topic, good.key, b"{}", tuple(good.headers)),
        with_header(good, "ce_type", "coordination.task.unheard.requested"),
    )
    await quiet(stage)
    letters = [dict(letter.headers) for letter in await stage.records("dlq.run")]
    assert sorted(letter["coordination.errors.stage"] for letter in letters) == [
        b"data",
        b"data",
        b"envelope",
        b"envelope",
        b"routing",
    ]
    assert done == ["good", "last"]


async def test_a_record_without_addressee_is_nobodys(stage: Stage) -> None:
    done = await counted(stage)
    await stage.put(NewRecord("coord.run.task.commands", b"k", b"garbage"))
    await quiet(stage)
    assert done == ["last"]
    assert await stage.records("dlq.run") == []


async def test_a_command_too_large_to_remember_is_rejected(stage: Stage) -> None:
    done = await counted(stage)
    await stage.client.request("run-1", "refund", "payer", task_id="good")
    await stage.until("task.completed")
    (good,) = await stage.records("run.task.commands")
    huge = with_header(with_header(good, "ce_taskid", "huge"), "ce_id", "another")
    value = msgspec.json.encode({"task_type": "refund", "input": "x" * 500_000})
    await stage.put(msgspec.structs.replace(huge, key=b"huge", value=value))
    await stage.until("task.rejected", task_id="huge")
    assert "huge" not in done
    assert len(await stage.records("dlq.run")) == 1


async def test_a_group_that_comes_back_remembers_what_it_did(stage: Stage) -> None:
    done: list[str] = []
    agent = stage.agent("payer")

    @agent.task("refund")
    async def refund(task: TaskContext) -> None:
        done.append(task.task_id)

    running = stage.start(agent)
    task_id = await stage.client.request("run-1", "refund", "payer")
    await stage.until("task.completed")
    await stage.stop(running)
    (command,) = await stage.records("run.task.commands")
    await stage.put(copy(command))
    stage.start(agent)
    await quiet(stage)
    await asyncio.sleep(0)
    assert done == [task_id, "last"]


def partition(key: str) -> int:
    """The partition of a key on the topics of tasks."""
    return partition_for(key.encode(), 12)
