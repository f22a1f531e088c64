"""The README for people who write agents: each of its blocks of code is run, and does what stands beside it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from coordination.agent import Agent, open_log
from coordination.agent.conformance import RULES
from coordination.event import Event
from coordination.events.approval import ApprovalRequested
from coordination.signing import Keyring
from tests.coordination.agent.stage import DECISION_KEY, Stage
from tests.installation import Installation
from tests.services.ports import free_port
from tests.services.process import ServerProcess

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "coordination" / "README.md").read_text()
BLOCKS = {kind: re.findall(rf"^```{kind}\n(.*?)^```$", README, re.M | re.S) for kind in ("python", "sh")}
TEXT = "The quick brown fox jumps over the lazy dog."


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """All Python of the page, as one module, in its order."""
    module = ModuleType("readme")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINESIDE_DECISION_KEYS", Keyring.of(DECISION_KEY).text())
        for number, block in enumerate(BLOCKS["python"], 1):
            exec(compile(block, f"README block {number}", "exec"), module.__dict__)
    return module


async def done(stage: Stage, agents: list[Agent], kind: str, group: str, given: Any) -> Event:
    """Start agents, ask one of them, and return how the task ended."""
    for agent in agents:
        stage.start(agent, log=stage.log)
    task_id = await stage.client.start_run("run-1", kind, group, input=given)
    ends = ("task.completed", "task.failed", "task.rejected")
    wanted = lambda event: event.task_id == task_id and event.name in ends  # noqa: E731
    return (await stage.until_some("run.task.events", wanted))[0]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert set(re.findall(r"^```(\w+)$", README, re.M)) == set(BLOCKS)
    assert len(BLOCKS["python"]) >= 10
    assert len(BLOCKS["sh"]) == 3


async def test_an_agent_does_a_task(stage: Stage, page: ModuleType) -> None:
    end = await done(stage, [page.agent], "summarize", "summarizer", {"text": TEXT})
    assert end.data.output == {"summary": "The quick brown fox jumps", "words": 9}
    await stage.until("run.completed")
    assert (await stage.until("task.progressed"))[0].data.message == "9 words"


async def test_a_task_of_another_group_is_asked_for(stage: Stage, page: ModuleType) -> None:
    end = await done(stage, [page.agent, page.editor], "edit", "editor", {"text": TEXT})
    assert end.data.output == {"text": "The quick brown fox jumps", "checked": True}


async def test_a_step_that_is_done_once_is_the_same_when_the_handler_is_run_again(
    stage: Stage, page: ModuleType
) -> None:
    end = await done(stage, [page.agent, page.editor], "draw lots", "editor", {})
    (asked,) = [event for event in await stage.events("run.task.commands") if event.target_group == "summarizer"]
    assert asked.data.input == {"text": f"lot {end.data.output['lot']}"}


async def test_tools_and_models_are_called_and_told(stage: Stage, page: ModuleType) -> None:
    end = await done(stage, [page.editor], "write article", "editor", {"topic": "foxes"})
    (told,) = [event for event in await stage.until("tool.call.completed", count=2) if event.data.result is not None]
    assert told.data.result == {"url": end.data.output["url"]}
    (model,) = await stage.until("model.call.completed")
    assert (model.data.cost, model.data.prompt_version) == ("0.0045", "article/4")
    assert (await stage.until("task.artifact.produced"))[0].data.artifact_ref == end.data.output["url"]


async def test_branches_are_joined(stage: Stage, page: ModuleType) -> None:
    given = {"chapters": ["one two", "three four", "five six"]}
    end = await done(stage, [page.agent, page.editor], "digest", "editor", given)
    assert len(end.data.output["chapters"]) >= 2
    assert (await stage.until("fanout.opened"))[0].data.join == "quorum(2)"


@pytest.mark.parametrize(("word", "name"), [("approve", "task.completed"), ("reject", "task.rejected")])
async def test_a_person_decides(stage: Stage, page: ModuleType, word: str, name: str) -> None:
    stage.start(page.payer, log=stage.log)
    await stage.client.start_run("run-1", "refund", "payer", input={"order": "7", "amount": "12.00"})
    (request,) = await stage.until("approval.requested")
    assert request.data.title == "Refund order 7"
    await stage.decide(request, word)
    (end,) = await stage.until(name)
    paid = [event.data.result for event in await stage.events("run.tool.events") if event.name.endswith("completed")]
    assert paid == ([{"paid": "12.00"}] if word == "approve" else [])
    if word == "approve":
        await stage.client.compensate("run-1", end.task_id, "payer")
        await stage.until("task.compensated", task_id=end.task_id)


async def test_a_fact_makes_another_group_act(stage: Stage, page: ModuleType) -> None:
    stage.start(page.watcher, log=stage.log)
    await done(stage, [page.payer], "refund", "payer", {"order": "7"})
    (asked,) = await stage.until_some(
        "run.task.commands", lambda event: event.name == "task.requested" and event.target_group == "summarizer"
    )
    assert asked.data.title == "what failed"
    assert asked.run_id == "run-1"


@pytest.mark.parametrize(
    ("address", "ends", "letters"),
    [
        ("ftp://example.org/", ["task.rejected"], 0),
        ("https://example.org/gone", ["task.failed"], 1),
        ("https://example.org/", ["task.attempt.failed", "task.completed"], 0),
    ],
)
async def test_what_fails_ends_as_the_page_says(
    stage: Stage, page: ModuleType, address: str, ends: list[str], letters: int
) -> None:
    end = await done(stage, [page.editor], "fetch", "editor", {"address": address})
    told = await stage.told(end.task_id)
    assert [name for name in told if name in {*ends, "task.failed", "task.attempt.failed"}] == ends
    assert len(await stage.records("dlq.run")) == letters


async def test_limits_are_taken(stage: Stage, page: ModuleType) -> None:
    stage.start(page.busy, log=stage.log)
    (registered,) = await stage.until("agent.registered", family="ops.events")
    assert (registered.agent_id, registered.data.capacity) == ("busy-blue-1", 4)


async def test_an_agent_is_tested_in_memory(page: ModuleType) -> None:
    assert await page.outcome(TEXT) == {"summary": "The quick brown fox jumps", "words": 9}


def test_what_another_runtime_asks_is_asked_here_and_answered_there(page: ModuleType) -> None:
    human = {
        "action_request": {"action": "refund", "args": {"amount": "18.50"}},
        "config": {"allow_ignore": True, "allow_respond": False, "allow_edit": True, "allow_accept": True},
        "description": "Refund order 7",
    }
    ask, data = page.asked(SimpleNamespace(value=[human], id="lg-1"), "approval-7", 2)
    requested = msgspec.convert(data, ApprovalRequested)
    assert (requested.approval_id, requested.fence, requested.title) == ("approval-7", 2, "Refund order 7")
    assert (requested.risk, requested.reversibility) == ("medium", "no")
    assert page.resumed(ask) == [{"type": "edit", "args": {"action": "refund", "args": {"amount": "17.00"}}}]


class Demo:
    """A demo without agents, in a folder that looks like a clone and holds the page's first two files."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.folder, self.address = folder, f"http://127.0.0.1:{port}"
        self.log = f"sqlite://{folder}/var/log.sqlite3"
        for name, block in zip(("summarizer.py", "ask.py"), BLOCKS["python"], strict=False):
            (folder / name).write_text(block)
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        # What uv would do, without making an environment.
        (folder / "python3").write_text(f'#!/bin/sh\nshift 3\n[ "$1" = python ] && shift\nexec {sys.executable} "$@"\n')
        (folder / "python3").chmod(0o755)
        self.installation = Installation(folder / "var")
        arguments = ["demo", "--no-agents", "--port", str(port), "--state", str(folder / "var")]
        self.process = self.installation.start("demo", *arguments)
        self.process.wait_until(lambda: self.process.logged("Open http"), 60)

    def shell(self, block: str, **more: str) -> str:
        """What a block of the page prints, run as it stands there."""
        path = f"{self.folder}:{os.environ['PATH']}"
        given = {"PATH": path, "PYTHONPATH": str(ROOT), "LINESIDE_STATE": str(self.folder / "var"), **more}
        output = self.folder / "output"
        with output.open("wb") as file:
            code = subprocess.run(
                ["bash", "-ec", block], cwd=self.folder, env=given, stdout=file, stderr=file, check=False, timeout=120
            ).returncode
        assert code == 0, output.read_text()
        return output.read_text()

    @cached_property
    def token(self) -> str:
        """A token that may read."""
        return self.shell("python3 -m uv run manage.py token demo").split()[-1]

    def until_ended(self, run_id: str) -> None:
        """Wait until a run has completed, as the API tells."""
        address, headers = f"{self.address}/api/v1/runs/{run_id}", {"Authorization": f"Bearer {self.token}"}
        ended = lambda: httpx.get(address, headers=headers).json().get("state") == "completed"  # noqa: E731
        self.process.wait_until(ended, 30)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("agents"))
    with made.installation:
        yield made


def test_the_first_two_files_run_beside_a_demo(demo: Demo) -> None:
    run_id, agent = demo.shell(BLOCKS["sh"][0] + "echo $!").split()[-2:]
    try:
        demo.until_ended(run_id)
    finally:
        os.kill(int(agent), signal.SIGTERM)


def test_a_token_opens_the_log_over_http(demo: Demo) -> None:
    token = demo.shell(BLOCKS["sh"][1]).split()[-1]
    address = f"{demo.address}/?token={token}"
    environment = [f"LINESIDE_LOG={address}", f"PYTHONPATH={ROOT}"]
    process = ServerProcess(["env", *environment, sys.executable, demo.folder / "summarizer.py"], demo.folder / "log")
    process.start()
    try:
        demo.until_ended(demo.shell("python3 -m uv run python ask.py", LINESIDE_LOG=address).split()[-1])
    finally:
        process.stop()


async def test_the_examination_runs_beside_a_demo(demo: Demo, page: ModuleType) -> None:
    stop, log = asyncio.Event(), open_log(demo.log)
    page.examinee._keyring = Keyring.from_file(demo.folder / "var" / "decision.keys.json")
    running = asyncio.create_task(page.examinee.serve(stop, log=log))
    told = await asyncio.to_thread(demo.shell, BLOCKS["sh"][2], LINESIDE_LOG=demo.log)
    stop.set()
    await running
    await log.close()
    assert told.count("kept   ") == len(RULES)
