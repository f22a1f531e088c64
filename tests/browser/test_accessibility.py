"""Every page: nothing for axe-core to complain of, light and dark; nothing cut off or sideways on a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from coordination.query import quoted
from dashboard.audit import enter
from tests.browser.axe import violations
from tests.browser.cascade import cascade, keep
from tests.dashboard.cast import ask
from tests.dashboard.scenes import dead_letter, fan_out, group, position, rejected, worker

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = (
    "/",
    "/?query=colour:red",
    "/?query=state:canceled",
    "/runs/",
    "/runs/run-1/",
    "/runs/run-1/?query=state:failed",
    "/runs/run-1/tasks/fetch/",
    "/runs/run-1/tasks/probe-001/",
    "/records/coord.run.task.events/4/0/",
    "/approvals/",
    "/approvals/ask-1/",
    "/agents/",
    "/agents/payer/",
    "/dead-letters/",
    "/audit/",
    "/topics/",
    "/nowhere/",
)
ACTS: dict[str, Callable[[Page], object]] = {
    "/ with the failed task": lambda page: page.locator("a.cause").click(),
    "/ with completions": lambda page: page.locator("input[name=query]").press_sequentially("sta"),
    "/ with views": lambda page: page.locator(".views summary").click(),
    "/runs/run-1/ with a chosen task": lambda page: page.locator('.node[data-id="task:fetch"]').click(),
    "/runs/run-1/ with its time": lambda page: page.locator("#tab-time").click(),
    "/runs/run-1/ with its tasks": lambda page: page.locator("#tab-tasks").click(),
    "/runs/run-1/ as a table": lambda page: page.locator("#graph-table").click(),
}
CUT = (Path(__file__).parent / "cut.js").read_text()


@pytest.fixture(autouse=True)
def _everything() -> None:
    """Something of everything that pages show."""
    keep(cascade(12))
    ask("ask-1", title="Pay 12 EUR", task="fetch", risk="high")
    fan_out("f-1")
    group("payer")
    group("coder", "idle", waiting=0)
    dead_letter(1, task_id="fetch")
    rejected(1)
    position()
    worker(2**60)
    enter("user-1", "task.cancel", "task/fetch", {"run_id": "run-1", "reason": quoted("a b")})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visited: Callable[..., Page], scheme: str) -> None:
    page = visited("/", scheme=scheme)
    root = page.url.rstrip("/")
    found = []
    for path in PATHS:
        page.goto(root + path)
        page.wait_for_load_state("networkidle")
        found += [f"{path}: {each}" for each in violations(page)]
    for name, act in ACTS.items():
        page.goto(root + name.partition(" ")[0])
        page.wait_for_load_state("networkidle")
        act(page)
        page.wait_for_load_state("networkidle")
        found += [f"{name}: {each}" for each in violations(page)]
    assert not found, "\n".join(found)


def test_who_is_not_signed_in_finds_nothing_wrong_either(visited: Callable[..., Page]) -> None:
    page = visited("/")
    page.context.clear_cookies()
    page.goto(page.url + "sign-in/")
    assert violations(page) == []


def test_nothing_is_cut_off_at_360(visited: Callable[..., Page]) -> None:
    page = visited("/", width=360, height=740)
    root = page.url.rstrip("/")
    found = []
    for path in PATHS:
        page.goto(root + path)
        page.wait_for_load_state("networkidle")
        found += [f"{path}: {each}" for each in page.evaluate(CUT)]
    page.goto(root)
    page.locator("a.cause").click()
    page.wait_for_selector("#failure h1")
    found += [f"the panel: {each}" for each in page.evaluate(CUT)]
    assert not found, "\n".join(found)
