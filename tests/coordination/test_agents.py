"""Agents: the newest word wins, registration and heartbeats apart."""

from typing import Any

from coordination.agents import Agent
from coordination.projection import Rows, fold
from tests.coordination.stories import SECOND, START, Story


def folded(*said: tuple[int, str, dict[str, Any]]) -> Agent:
    story = Story()
    for second, name, data in said:
        story.say(name, run="", agent_id="c-1", at=START + second * SECOND, data={"agent_group": "coder"} | data)
    rows = Rows()
    fold(rows, reversed(story.events()))
    assert not rows.run_parts
    return rows.agents["coder", "c-1"]


def test_an_agent_that_came_up_is_registered_with_what_it_subscribes_to() -> None:
    agent = folded((0, "agent.registered", {"subscribes_to": ["task.completed"], "version": "2", "capacity": 4}))
    assert (agent.registered, agent.registered_at, agent.deregistered_at) == (True, START, None)
    assert (agent.subscribes_to, agent.version, agent.capacity) == (("task.completed",), "2", 4)


def test_an_agent_that_left_is_gone_and_what_its_group_subscribes_to_stays() -> None:
    agent = folded((0, "agent.registered", {"subscribes_to": ["task.completed"]}), (9, "agent.deregistered", {}))
    assert (agent.registered, agent.deregistered_at) == (False, START + 9 * SECOND)
    assert agent.subscribes_to == ("task.completed",)


def test_the_newest_heartbeat_wins_whatever_the_order() -> None:
    agent = folded(
        (5, "agent.heartbeat.recorded", {"running": ["t1"], "interval_ms": 5000}),
        (3, "agent.heartbeat.recorded", {"running": ["t0"]}),
    )
    assert (agent.heartbeat_at, agent.running, agent.interval) == (START + 5 * SECOND, ("t1",), 5 * SECOND)


def test_a_role_is_held_until_it_is_released() -> None:
    assigned = (0, "agent.role.assigned", {"role": "lead"})
    assert folded(assigned).held_roles == ("lead",)
    assert folded(assigned, (1, "agent.role.released", {"role": "lead"})).held_roles == ()


def test_the_group_of_the_envelope_is_the_one_that_counts() -> None:
    story = Story()
    story.say("agent.registered", run="", agent_id="c-1", agent_group="writer", data={"agent_group": "coder"})
    rows = Rows()
    fold(rows, story.events())
    assert list(rows.agents) == [("writer", "c-1")]


def test_an_agent_without_a_name_is_no_row() -> None:
    story = Story()
    story.say("agent.registered", run="")
    rows = Rows()
    fold(rows, story.events())
    assert not rows.agents
