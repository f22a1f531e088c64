"""Fan-outs, joins and sub-tasks: asked for once, decided once, by the rule."""

import asyncio
from typing import Any

import pytest

from coordination.agent import Agent, Fatal, TaskContext
from coordination.foldkeys import fold_key
from tests.coordination.agent.stage import Stage


def workers(stage: Stage, **limits: Any) -> Agent:
    """A group whose tasks end as their input says: `fail`, `wait` seconds, `value`."""
    agent = stage.agent("worker", **limits)

    @agent.task("work")
    async def work(task: TaskContext) -> Any:
        await asyncio.sleep(task.input.get("wait", 0))
        if task.input.get("fail"):
            raise Fatal("this branch cannot")
        return task.input.get("value")

    return agent


def planner(stage: Stage, branches: list[dict[str, Any]], must_succeed: bool = True, **fan: Any) -> Agent:
    """A group whose task fans out over these branches and returns outcomes and outputs by index."""
    agent = stage.agent("planner")

    @agent.task("plan")
    async def plan(task: TaskContext) -> Any:
        out = task.fan_out("work", **fan)
        for branch in branches:
            out.branch("work", "worker", input=branch)
        results = await out.join(must_succeed=must_succeed)
        return {"verdict": out.verdict, "ended": [(r.index, r.outcome, r.output) for r in results]}

    return agent


async def output_of(stage: Stage) -> Any:
    task_id = await stage.client.request("run-1", "plan", "planner")
    (completed,) = await stage.until("task.completed", task_id=task_id)
    return completed.data.output


async def test_a_sub_task_is_asked_for_once_and_its_output_comes_back(stage: Stage) -> None:
    agent = stage.agent("planner")
    entered: list[int] = []

    @agent.task("plan")
    async def plan(task: TaskContext) -> Any:
        entered.append(task.attempt)
        first = (await task.request("work", "worker", input={"value": 20})).required()
        second = (await task.request("work", "worker", input={"value": 22})).required()
        return first + second

    stage.start(agent)
    stage.start(workers(stage))
    assert await output_of(stage) == 42
    assert entered == [1, 1, 1]
    commands = [event for event in await stage.events("run.task.commands") if event.data.task_type == "work"]
    assert len(commands) == 2
    parent = fold_key("plan", "planner")
    assert {event.fold_key for event in commands} == {fold_key("work", "worker", [parent])}


async def test_a_failed_sub_task_fails_its_parent_without_retries(stage: Stage) -> None:
    agent = stage.agent("planner")

    @agent.task("plan")
    async def plan(task: TaskContext) -> Any:
        return (await task.request("work", "worker", input={"fail": True})).required()

    stage.start(agent)
    stage.start(workers(stage))
    task_id = await stage.client.request("run-1", "plan", "planner")
    (failed,) = await stage.until("task.failed", task_id=task_id)
    assert "this branch cannot" in failed.data.error.message
    assert failed.attempt == 1


async def test_a_join_of_all_gives_every_output_by_index(stage: Stage) -> None:
    stage.start(planner(stage, [{"value": n} for n in range(7)]))
    stage.start(workers(stage))
    output = await output_of(stage)
    assert output == {"verdict": "satisfied", "ended": [[n, "completed", n] for n in range(7)]}
    (fan,) = (await stage.rows()).fan_outs.values()
    assert (fan.join, fan.expected, fan.verdict, len(fan.causes)) == ("all", 7, "satisfied", 7)
    events = await stage.events("run.workflow.events")
    assert [event.name for event in events] == ["fanout.opened", "fanout.sealed", "fanin.satisfied"]


async def test_members_carry_fan_out_index_count_and_fold_key(stage: Stage) -> None:
    stage.start(planner(stage, [{}] * 3))
    stage.start(workers(stage))
    await output_of(stage)
    members = [event for event in await stage.events("run.task.commands") if event.fanout_id]
    assert sorted((event.fanout_index, event.fanout_count) for event in members) == [(0, 3), (1, 3), (2, 3)]
    assert len({event.fold_key for event in members}) == 1
    facts = [event for event in await stage.events() if event.name == "task.completed" and event.fanout_id]
    assert sorted(event.fanout_index or 0 for event in facts) == [0, 1, 2]


async def test_a_join_of_all_fails_fast_and_stops_the_other_branches(stage: Stage) -> None:
    stage.start(planner(stage, [{"wait": 30}, {"fail": True}, {"wait": 30}]))
    stage.start(workers(stage))
    task_id = await stage.client.request("run-1", "plan", "planner")
    await stage.until("task.failed", task_id=task_id)
    await stage.until("task.canceled", count=2)
    await stage.until("fanin.branch.late", count=2)
    names = [event.name for event in await stage.events("run.workflow.events")]
    assert names.count("fanin.failed") == 1


async def test_a_join_that_continues_waits_for_every_branch_before_it_fails(stage: Stage) -> None:
    stage.start(planner(stage, [{"fail": True}, {"wait": 0.3}], False, on_failure="continue"))
    stage.start(workers(stage))
    assert await output_of(stage) == {
        "verdict": "failed",
        "ended": [[0, "failed", None], [1, "completed", None]],
    }


async def test_any_is_satisfied_by_the_first_and_names_the_late(stage: Stage) -> None:
    stage.start(planner(stage, [{"wait": 0.4}, {"value": 1}, {"wait": 0.4}], join="any"))
    stage.start(workers(stage))
    assert await output_of(stage) == {"verdict": "satisfied", "ended": [[1, "completed", 1]]}
    late = await stage.until("fanin.branch.late", count=2)
    assert sorted(event.data.index for event in late) == [0, 2]
    assert {event.data.outcome for event in late} == {"completed"}


async def test_a_quorum_is_satisfied_by_enough_and_fails_when_it_cannot_be(stage: Stage) -> None:
    stage.start(planner(stage, [{"fail": True}, {}, {}], join="quorum", quorum=2))
    stage.start(workers(stage))
    assert (await output_of(stage))["verdict"] == "satisfied"


async def test_a_quorum_that_cannot_be_met_fails(stage: Stage) -> None:
    stage.start(planner(stage, [{"fail": True}, {"fail": True}, {}], False, join="quorum", quorum=2))
    stage.start(workers(stage))
    assert (await output_of(stage))["verdict"] == "failed"


async def test_all_settled_takes_every_end(stage: Stage) -> None:
    stage.start(planner(stage, [{"fail": True}, {"value": 2}], join="all_settled"))
    stage.start(workers(stage))
    assert (await output_of(stage))["ended"] == [[0, "failed", None], [1, "completed", 2]]


async def test_a_join_past_its_deadline_expires_and_names_what_is_missing(stage: Stage) -> None:
    stage.start(planner(stage, [{"value": 1}, {"wait": 5}], False, deadline_in=0.3))
    stage.start(workers(stage))
    assert (await output_of(stage))["verdict"] == "expired"
    (expired,) = await stage.until("fanin.expired")
    assert [branch.index for branch in expired.data.missing] == [1]


async def test_a_fan_out_of_nothing_is_satisfied_at_once(stage: Stage) -> None:
    stage.start(planner(stage, []))
    assert await output_of(stage) == {"verdict": "satisfied", "ended": []}


async def test_branches_may_be_asked_for_before_the_total_is_known(stage: Stage) -> None:
    agent = stage.agent("planner")

    @agent.task("plan")
    async def plan(task: TaskContext) -> Any:
        out = task.fan_out("pages")
        for page in range(3):
            out.branch("work", "worker", input={"value": page})
            await out.request()
            await task.request("work", "worker", title="next page?", input={"page": page})
        return [result.output for result in await out.join()]

    stage.start(agent)
    stage.start(workers(stage))
    assert await output_of(stage) == [0, 1, 2]
    events = await stage.events("run.workflow.events")
    assert [event.name for event in events] == ["fanout.opened", "fanout.sealed", "fanin.satisfied"]
    members = [event for event in await stage.events("run.task.commands") if event.fanout_id]
    assert len(members) == 3


async def test_fan_outs_nest_in_a_group_with_one_slot(stage: Stage) -> None:
    agent = stage.agent("tree", concurrency=1)

    @agent.task("grow")
    async def grow(task: TaskContext) -> int:
        depth = task.input["depth"]
        if depth == 0:
            return 1
        out = task.fan_out("twigs")
        for _ in range(3):
            out.branch("grow", "tree", input={"depth": depth - 1})
        return sum(result.output for result in await out.join())

    stage.start(agent)
    task_id = await stage.client.request("run-1", "grow", "tree", input={"depth": 3})
    (completed,) = await stage.until("task.completed", task_id=task_id, timeout=30)
    assert completed.data.output == 27


async def test_a_fan_out_over_many_branches_is_one_join(stage: Stage) -> None:
    stage.start(planner(stage, [{"value": n} for n in range(1000)]))
    stage.start(workers(stage, concurrency=50))
    task_id = await stage.client.request("run-1", "plan", "planner")
    (completed,) = await stage.until("task.completed", task_id=task_id, timeout=60, every=0.5)
    assert len(completed.data.output["ended"]) == 1000
    (fan,) = (await stage.rows()).fan_outs.values()
    assert (fan.expected, fan.verdict) == (1000, "satisfied")
    (satisfied,) = await stage.until("fanin.satisfied")
    # All of them do not fit into one event: it names what fits, and where the rest stands.
    assert len(fan.causes) > 200
    assert "dataref" in satisfied.extensions


async def test_a_task_canceled_while_it_joins_stops_its_branches_and_ends_its_join(stage: Stage) -> None:
    stage.start(planner(stage, [{"wait": 30}, {"wait": 30}]))
    stage.start(workers(stage))
    task_id = await stage.client.request("run-1", "plan", "planner")
    await stage.until("task.started", count=3)
    await stage.client.cancel("run-1", task_id, "planner", "changed my mind")
    await stage.until("task.canceled", count=3)
    (failed,) = await stage.until("fanin.failed")
    assert "changed my mind" in failed.data.reason


async def test_a_redone_branch_counts_instead_of_the_failed_one(stage: Stage) -> None:
    stage.start(planner(stage, [{"fail": True}, {"wait": 0.5}], on_failure="continue"))
    stage.start(workers(stage))
    task_id = await stage.client.request("run-1", "plan", "planner")
    (failed,) = await stage.until("task.failed")
    voice = stage.client._voice
    redone = voice.say(
        "task.requested",
        run_id="run-1",
        task_id="redone",
        target_group="worker",
        fanout_id=failed.fanout_id,
        fanout_index=failed.fanout_index,
        data={"task_type": "work", "input": {"value": 7}, "retry_of": failed.task_id},
    )
    await stage.put(redone.record)
    (completed,) = await stage.until("task.completed", task_id=task_id)
    assert completed.data.output["ended"] == [[0, "completed", 7], [1, "completed", None]]


@pytest.mark.parametrize("when", ["before any branch", "between", "after all"])
async def test_a_join_survives_its_instance(stage: Stage, when: str) -> None:
    agent = planner(stage, [{"value": 1, "wait": 0.2}, {"value": 2, "wait": 0.6}])
    first = stage.start(agent)
    task_id = await stage.client.request("run-1", "plan", "planner")
    await stage.until("fanout.sealed")
    await asyncio.sleep(0.1)
    if when == "before any branch":
        await stage.stop(first)
    stage.start(workers(stage))
    if when == "between":
        await stage.until("task.completed", count=1)
        stage.crash(first)
    if when == "after all":
        stage.crash(first)
        await stage.until("task.completed", count=2)
    stage.start(agent)
    (completed,) = await stage.until("task.completed", task_id=task_id, timeout=25)
    assert completed.data.output["verdict"] == "satisfied"
    names = [event.name for event in await stage.events("run.workflow.events")]
    assert names.count("fanin.satisfied") == 1
    assert names.count("fanout.opened") == 1
