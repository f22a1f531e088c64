"""Runs that were recorded elsewhere: their pages are readable, and say plainly what the recording did not say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from coordination.importers import read
from tests.browser.domcheck import look
from tests.browser.runs import keep_events
from tests.coordination.importers.histories import ALL
from tests.coordination.recordings import read_back, recording

pytestmark = pytest.mark.django_db(transaction=True)

FILES = [*(f"wfcommons/{name}" for name in ("soykb", "srasearch", "fetchngs")), *(f"temporal/{name}" for name in ALL)]


@pytest.mark.parametrize("name", FILES, ids=lambda name: Path(name).name)
def test_a_recorded_run_is_readable_and_says_what_is_derived_and_unknown(
    opened: Callable[..., Page], name: str
) -> None:
    events = read_back(read(recording(f"{name}.json")).records)
    run = keep_events(events)
    page = opened(run.run_id)
    found = look(page) if run.total else {"faults": [], "boxes": 0}
    assert found["faults"] == []
    assert (found["boxes"] > 0) == (run.total > 0)
    facts = page.locator("#about").inner_text()
    assert ("derived:" in facts) == run.derived_times
    unknown = sum(not event.known for event in events)
    assert (f"{unknown:,} of unknown types" in facts) == (unknown > 0)
    if not run.total:
        over = "ended without asking for a task" if run.ended_at else "No task was asked for yet"
        assert over in page.locator("#graph").inner_text()
