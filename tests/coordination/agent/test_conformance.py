"""Our own runtime keeps the contract of approvals; and the examination finds those that do not."""

from collections.abc import Callable
from typing import Any

import pytest

from coordination.agent import Agent, TaskContext, ToolCall
from coordination.agent.conformance import ARGS_SCHEMA, RULES, SLOTS, examine
from coordination.agent.examination import ACTION, TASK_TYPE, Examination, Failed
from coordination.signing import Keyring
from tests.coordination.agent.stage import DECISION_KEY, Stage


async def act(call: ToolCall) -> Any:
    """The tool with effects: it says what it was called with."""
    return call.args


def asker(stage: Stage, group: str = "examinee", **limits: Any) -> Agent:
    """The agent that conformance asks for."""
    agent = stage.agent(group, concurrency=SLOTS, **limits)

    @agent.task(TASK_TYPE)
    async def ask(task: TaskContext) -> dict[str, Any]:
        allowed = ("approve", "edit", "reject")
        decision = await task.approve(ACTION, task.input, args_schema=ARGS_SCHEMA, allowed=allowed)
        if decision.granted:
            await task.tool(ACTION, decision.args, act, effects=True, show_result=True)
        return {"decision": decision.decision}

    return agent


@pytest.mark.parametrize("name", RULES)
async def test_our_runtime_keeps_the_rule(stage: Stage, name: str) -> None:
    stage.start(asker(stage))
    exam = Examination(stage.log, DECISION_KEY, "examinee", quiet=0.2)
    await exam.open()
    await RULES[name](exam)
    await exam.close()


async def broken_by(stage: Stage, name: str, make: Callable[[Agent], None], **limits: Any) -> None:
    agent = stage.agent("examinee", concurrency=SLOTS, **limits)
    make(agent)
    stage.start(agent)
    exam = Examination(stage.log, DECISION_KEY, "examinee", patience=2.0, quiet=0.2)
    await exam.open()
    with pytest.raises(Failed):
        await RULES[name](exam)
    await exam.close()


async def test_an_agent_that_acts_without_waiting_is_found_out(stage: Stage) -> None:
    def hasty(agent: Agent) -> None:
        @agent.task(TASK_TYPE)
        async def ask(task: TaskContext) -> None:
            await task.tool(ACTION, task.input, act, effects=True, show_result=True)
            await task.approve(ACTION, task.input, args_schema=ARGS_SCHEMA)

    await broken_by(stage, "a_forged_decision_is_refused_and_the_right_one_still_counts", hasty)


async def test_an_agent_that_ignores_edits_is_found_out(stage: Stage) -> None:
    def stubborn(agent: Agent) -> None:
        @agent.task(TASK_TYPE)
        async def ask(task: TaskContext) -> None:
            allowed = ("approve", "edit", "reject")
            await task.approve(ACTION, task.input, args_schema=ARGS_SCHEMA, allowed=allowed)
            await task.tool(ACTION, task.input, act, effects=True, show_result=True)

    await broken_by(stage, "edited_arguments_are_executed_instead", stubborn)


async def test_a_group_that_trusts_no_key_is_found_out(stage: Stage) -> None:
    def trusting_nobody(agent: Agent) -> None:
        @agent.task(TASK_TYPE)
        async def ask(task: TaskContext) -> None:
            await task.approve(ACTION, task.input, args_schema=ARGS_SCHEMA)

    await broken_by(stage, "an_approved_action_is_executed_once_and_receipted", trusting_nobody, keyring=Keyring())


async def test_the_report_names_each_rule_once(stage: Stage) -> None:
    stage.start(asker(stage))
    results = await examine(stage.log, DECISION_KEY, "examinee")
    assert results == dict.fromkeys(RULES, "")
