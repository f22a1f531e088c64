"""Starting runs from outside."""

from coordination.agent import TaskContext
from tests.coordination.agent.stage import Stage


async def test_a_run_begins_with_its_root_task_and_ends_with_it(stage: Stage) -> None:
    agent = stage.agent("planner")

    @agent.task("investigate", ends_run=True)
    async def investigate(task: TaskContext) -> str:
        return f"{task.title} of {task.run_id}: {task.input['service']}"

    stage.start(agent)
    root = await stage.client.start_run(
        "run-1", "investigate", "planner", name="Investigate", trigger="alert", input={"service": "cart"}
    )
    (completed,) = await stage.until("run.completed")
    assert completed.data.output == "Investigate of run-1: cart"
    (started,) = await stage.until("run.started")
    assert (started.data.name, started.data.workflow, started.data.trigger) == ("Investigate", "investigate", "alert")
    (command,) = await stage.until("task.requested")
    assert (command.task_id, command.causation_id) == (root, started.id)


async def test_the_same_run_again_starts_nothing_new(stage: Stage) -> None:
    agent = stage.agent("planner")
    runs: list[str] = []

    @agent.task("investigate", ends_run=True)
    async def investigate(task: TaskContext) -> None:
        runs.append(task.run_id)

    stage.start(agent)
    for _ in range(2):
        await stage.client.start_run("run-1", "investigate", "planner", name="Investigate")
    await stage.client.start_run("run-2", "investigate", "planner")
    await stage.until("run.completed", count=2)
    assert sorted(runs) == ["run-1", "run-2"]


async def test_a_run_fails_with_its_root_and_names_it(stage: Stage) -> None:
    agent = stage.agent("planner")

    @agent.task("investigate", ends_run=True)
    async def investigate(task: TaskContext) -> None:
        raise ValueError("no such service")

    stage.start(agent)
    root = await stage.client.start_run("run-1", "investigate", "planner")
    (failed,) = await stage.until("run.failed")
    assert (failed.data.task_id, failed.data.error.message) == (root, "no such service")


async def test_a_run_is_canceled_with_its_root(stage: Stage) -> None:
    agent = stage.agent("planner")

    @agent.task("investigate", ends_run=True)
    async def investigate(task: TaskContext) -> None:
        await task.approve("wait", {})

    stage.start(agent)
    root = await stage.client.start_run("run-1", "investigate", "planner")
    await stage.until("task.paused")
    await stage.client.cancel("run-1", root, "planner", "false alarm")
    (canceled,) = await stage.until("run.canceled")
    assert canceled.data.reason == "false alarm"
