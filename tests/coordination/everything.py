"""Runs in which everything happens that happens to runs: the input of the fold's property tests.

A seed and a number of tasks give a `Story`: several runs, nested fan-outs with joins, retries, pauses with
approvals and decisions, cancellations, agents that die, compensation, work set back, facts in an impossible
order, commands that were never read or were sent twice, duplicates and strays on other partitions, facts on
the wrong topic, unknown types, imported times, calls within and outside of tasks.
"""

import random
from typing import Any

from coordination.event import Event
from coordination.events import CATALOGUE
from coordination.rows import Layout
from coordination.taskfacts import TASK_FACTS
from tests.coordination.stories import MANIFEST, Story

FACTS = MANIFEST.topic_named("run.task.events")
TOOLS = MANIFEST.topic_named("run.tool.events")
WRONG = ("run.task.commands", "run.tool.events", "ops.events", "dlq.run")
HASH = "0" * 64
OLD = {f"{age}.{topic}": count for topic in MANIFEST.topics for age, count in (("old", 12), ("older", 6))}


def layout() -> Layout:
    """The layout of the stories: `old.` and `older.` topics serve the same families, with 12 and 6 partitions."""
    return Layout(lambda topic: MANIFEST.family_of(topic.removeprefix("old.").removeprefix("older.")), OLD)


class Everything:
    """Writes one story; every choice is the generator's."""

    def __init__(self, seed: int, tasks: int) -> None:
        self.rng = random.Random(seed)
        self.story = Story()
        self.runs = [f"run-{number}" for number in range(self.rng.choice((1, 1, 2, 3)))]
        self.left = tasks
        self.names: list[tuple[str, str]] = []
        self.imported = self.rng.random() < 0.2
        self.foreign = self.rng.random() < 0.3

    def write(self) -> Story:
        """The story."""
        for run in self.runs:
            self._run_facts(run, ends=False)
        while self.left > 0:
            run = self.rng.choice(self.runs)
            self.rng.choice((self._task, self._task, self._fan_out, self._agent, self._stranger))(run)
        for run in self.runs:
            self._run_facts(run, ends=True)
        self._strays()
        return self.story

    def say(self, name: str, run: str, task: str = "", **rest: Any) -> Event:
        """One event; imported ones carry a recorded instant that may lie before the one before."""
        if self.imported:
            rest.setdefault("at", self.story.at + self.rng.randrange(-5_000_000, 10_000_000))
            rest.setdefault("derived", self.rng.random() < 0.1)
        if self.foreign and self.chance(0.3):
            rest.setdefault("topic", self._other_topic(name))
        if self.chance(0.05) and "agent_group" in rest:
            rest["agent_group"] = "writer"
        if self.chance(0.05):
            rest["tenant"] = self.rng.choice(("acme", "bolt"))
        return self.story.say(name, run=run, task=task, **rest)

    def _other_topic(self, name: str) -> str:
        topic = MANIFEST.topic_for(name) if name in CATALOGUE else FACTS
        return f"{self.rng.choice(('old', 'older'))}.{topic}"

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.rng.random() < share

    def _run_facts(self, run: str, *, ends: bool) -> None:
        name = self.rng.choice(("run.completed", "run.failed", "run.canceled")) if ends else "run.started"
        for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
            data = {} if ends else {"name": f"the {run}", "workflow": "report"}
            self.say(name, run, data=data)

    def _task(self, run: str, **place: Any) -> str:
        self.left -= 1
        number = len(self.names)
        task = f"{self.rng.choice('abc')}-{number}"
        self.names.append((run, task))
        who = {"agent_id": f"coder-{self.rng.randrange(3)}", "agent_group": "coder"} | place
        self._command(run, task, place)
        if self.chance(0.15):
            self._nonsense(run, task, who)
        else:
            self._life(run, task, who)
        if self.chance(0.1):
            self._command(run, task, place)
        return task

    def _command(self, run: str, task: str, place: dict[str, Any]) -> None:
        if self.chance(0.1):
            return
        data: dict[str, Any] = {"task_type": self.rng.choice(("plan", "write")), "title": f"do {task}"}
        known = [name for where, name in self.names if where == run and name != task]
        if known and self.chance(0.5):
            data["depends_on"] = tuple(self.rng.sample(known, min(len(known), 2)))
        if known and self.chance(0.1):
            data["retry_of"] = self.rng.choice(known)
        stamp = self.rng.choice(("", "", "00aa", "00bb"))
        self.say("task.requested", run, task, data=data, target_group="coder", fold_key=stamp, **place)

    def _life(self, run: str, task: str, who: dict[str, Any]) -> None:
        if self.chance(0.5):
            self.say("task.accepted", run, task, **who)
        for attempt in range(1, self.rng.choice((2, 2, 2, 3, 4))):
            stated = attempt + (self.rng.choice((-1, 1)) if self.chance(0.05) else 0)
            number = max(stated, 1) if self.chance(0.7) else None
            self.say("task.started", run, task, attempt=number, **who)
            self._work(run, task, who)
            if self.chance(0.1):  # the agent dies, another one takes over
                who = who | {"agent_id": "coder-9"}
                self.say("task.started", run, task, attempt=attempt + 1, **who)
            if self.chance(0.3):
                error = {"type": "Timeout", "message": "took too long"}
                self.say("task.attempt.failed", run, task, attempt=attempt, data={"error": error}, **who)
        self._end(run, task, who)

    def _work(self, run: str, task: str, who: dict[str, Any]) -> None:
        priced = {"tokens_in": 7, "tokens_out": 3, "cost": "0.0000125"}
        for _ in range(self.rng.randrange(4)):
            step = self.rng.randrange(5)
            call = {"tool_call_id": f"{task}-call", "tool_name": "search"}
            if step == 0:
                self.say("model.call.completed", run, task, data={"model": "m"} | priced, **who)
            elif step == 1:
                self.say("tool.call.started", run, task, data=call, **who)
                self.say(f"tool.call.{self.rng.choice(('completed', 'failed'))}", run, task, data=call, **who)
            elif step == 2:
                self.say("task.progressed", run, task, data={"progress": 0.5, "step": "reading"}, **who)
            elif step == 3:
                self._approval(run, task, who)
            else:
                name = self.rng.choice(("task.escalated", "task.checkpointed", "task.assigned", "task.released"))
                self.say(name, run, task, **who)

    def _approval(self, run: str, task: str, who: dict[str, Any]) -> None:
        approval = f"ap-{task}"
        reason = self.rng.choice(("approval", "question", "credentials"))
        self.say("task.paused", run, task, data={"reason": reason, "approval_id": approval}, **who)
        for version in range(1, self.rng.choice((2, 2, 3))):
            asked = {"approval_id": approval, "request_version": version, "content_hash": HASH}
            action = {"name": "pay", "args": {"amount": "12.00"}}
            for _ in range(self.rng.choice((1, 1, 1, 2))):
                self.say("approval.requested", run, task, data=asked | {"action": action}, **who)
            about = {"approval_id": approval, "request_version": version}
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                verdict = self.rng.choice(("granted", "denied"))
                decided = about | {"decision_id": f"d-{version}", "decision": "approve"}
                self.say(f"approval.{verdict}", run, task, data=decided)
            other = self.rng.choice(("claimed", "deferred", "escalated", "expired", "withdrawn"))
            if self.chance(0.3):
                self.say(f"approval.{other}", run, task, data=about)
        decision = {"decision_id": "d-1", "approval_id": approval}
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            self.say("task.resume.requested", run, task, data=decision)
        if self.chance(0.8):
            self.say("decision.applied", run, task, data=decision, **who)
        else:
            self.say("decision.refused", run, task, data=decision | {"reason": "late"}, **who)
        if self.chance(0.9):
            self.say("task.resumed", run, task, data=decision, **who)

    def _end(self, run: str, task: str, who: dict[str, Any]) -> None:
        if self.chance(0.1):
            self.say("task.cancel.requested", run, task)
            self.say(self.rng.choice(("task.canceled", "task.cancel.declined")), run, task, **who)
        ends = ("task.completed", "task.completed", "task.failed", "task.rejected", "task.expired")
        for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
            self.say(self.rng.choice(ends), run, task, **who)
        if self.chance(0.1):
            self.say(self.rng.choice(("task.invalidated", "task.reopened")), run, task, **who)
            self.say("task.started", run, task, **who)
            self.say("task.completed", run, task, **who)
        if self.chance(0.1):
            self.say("task.compensation.requested", run, task)
            self.say("task.compensation.started", run, task, **who)
            done = self.rng.choice(("task.compensated", "task.compensation.failed"))
            self.say(done, run, task, **who)

    def _nonsense(self, run: str, task: str, who: dict[str, Any]) -> None:
        for _ in range(self.rng.randrange(8)):
            self.say(self.rng.choice(NAMES), run, task, **who)

    def _fan_out(self, run: str) -> None:
        parent, fanout = self._task(run), f"f-{len(self.names)}"
        about = {"fanout_id": fanout}
        join = self.rng.choice(("all", "any", "quorum(2)", "all_settled"))
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            self.say("fanout.opened", run, parent, data={"join": join}, **about)
        count = self.rng.randrange(1, 4)
        for index in range(count):
            self._task(run, parent_task_id=parent, fanout_index=index, **about)
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            self.say("fanout.sealed", run, data={"count": count}, **about)
        causes = [{"index": 0, "outcome": "completed"}]
        for name in self.rng.sample(("fanin.satisfied", "fanin.failed", "fanin.expired"), self.rng.choice((0, 1, 2))):
            self.say(name, run, data={"causes": []} if self.chance(0.5) else {}, **about)
        if self.chance(0.2):
            self.say("fanin.branch.late", run, data=causes[0], **about)

    def _agent(self, run: str) -> None:
        self.left -= 1
        names = ("agent.registered", "agent.heartbeat.recorded", "agent.deregistered", "agent.role.assigned")
        for _ in range(self.rng.randrange(4)):
            data = {"agent_group": "coder"}
            agent = f"coder-{self.rng.randrange(2)}"
            self.say(self.rng.choice(names), "", data=data, agent_id=agent, subject=f"agent/{agent}")

    def _stranger(self, run: str) -> None:
        self.left -= 1
        if self.chance(0.5):
            self.say("com.example.thing", run, data={"anything": 1})
        else:
            self.say("model.call.completed", run, data={"model": "m", "tokens_in": 5})
        if self.chance(0.3):
            self.say("task.started", run)
        self.say("record.deadlettered", run, data={"topic": FACTS, "partition": 0, "offset": 1})

    def _strays(self) -> None:
        """Duplicates on other partitions, facts spread over partitions, facts on the wrong topic."""
        for event in self.story.events():
            if self.chance(0.02):
                self.story.append(event, event.topic, (event.partition + 1) % (3 if "ops" in event.topic else 6))
            if self.chance(0.02):
                topic = MANIFEST.topic_named(self.rng.choice(WRONG))
                if topic != event.topic:
                    self.story.append(event, topic)
        if self.names and self.chance(0.2):
            run, task = self.rng.choice(self.names)
            for name in ("task.accepted", "task.started", "task.progressed", "task.completed"):
                self.say(name, run, task, partition=self.rng.randrange(12), agent_id="coder-1")


NAMES = tuple(TASK_FACTS)


def everything(seed: int, tasks: int) -> Story:
    """A story of about this many tasks."""
    return Everything(seed, tasks).write()
