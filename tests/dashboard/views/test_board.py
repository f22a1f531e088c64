"""The board and the list of runs: the same cost with many runs as with few, and every page has its frame."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.models import Run
from tests.dashboard.cast import ask
from tests.dashboard.scenes import NOW, group, member, run, signed_in, viewer

pytestmark = pytest.mark.django_db


def first(page: bytes, name: str) -> Any:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page.decode())
    assert found, name
    return json.loads(found.group(1))


def test_the_board_brings_its_first_rows() -> None:
    run()
    group("payer")
    ask("ask-1", title="Pay 12 EUR")
    page = viewer().get("/").content
    assert [row["run_id"] for row in first(page, "first-runs")["items"]] == ["run-1"]
    assert [row["group"] for row in first(page, "first-groups")] == ["payer"]
    assert [row["title"] for row in first(page, "first-asks")] == ["Pay 12 EUR"]
    assert first(page, "health")["counts"] == {"approvals": 1, "agents": 1, "alerts": 0, "dead": 0}


def test_the_board_costs_the_same_with_many_runs() -> None:
    client = viewer()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/").status_code == 200
        return len(queries)

    run()
    few = cost()
    Run.objects.bulk_create(Run(run_id=f"r{n}", first_at=NOW + n, state="working") for n in range(1_000))
    assert cost() == few


def test_an_empty_board_says_how_to_fill_it() -> None:
    page = viewer().get("/").content
    assert b"manage.py import_run" in page
    assert first(page, "first-runs")["items"] == []


def test_whoever_may_not_see_approvals_does_not_see_them() -> None:
    ask("ask-1", title="Pay 12 EUR")
    run()
    page = signed_in(member("eve", "view_run")).get("/").content
    assert b"Pay 12 EUR" not in page
    assert b"Open approvals" not in page


def test_the_board_needs_the_right_to_runs() -> None:
    page = signed_in(member("eve")).get("/")
    assert page.status_code == 403
    assert b"You have no right" in page.content


def test_a_filter_that_is_not_understood_is_told_on_the_page() -> None:
    run()
    page = viewer().get("/?query=colour:red")
    assert page.status_code == 200
    assert b"is no field of runs" in page.content


def test_names_out_of_the_log_cannot_become_markup() -> None:
    run(name="</script><script>alert(1)</script>")
    assert b"<script>alert(1)" not in viewer().get("/").content


def test_the_theme_of_the_browser_is_in_the_page_before_anything_is_drawn() -> None:
    client = viewer()
    assert b"data-theme" not in client.get("/").content.partition(b"<head>")[0]
    client.cookies["theme"] = "dark"
    assert b'data-theme="dark"' in client.get("/").content
    client.cookies["theme"] = '"><script>'
    assert b'"><script>' not in client.get("/").content.partition(b"<head>")[0]


def test_no_page_carries_inline_script_or_style() -> None:
    run()
    page = viewer().get("/").content.decode()
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
    assert not re.search(r"\son\w+=", page)
    assert "style=" not in page


def test_the_list_of_runs_is_there_for_all_runs() -> None:
    run(state="completed")
    page = viewer().get("/runs/?query=state:done").content
    assert [row["run_id"] for row in first(page, "first-runs")["items"]] == ["run-1"]


def test_pages_ask_for_sign_in() -> None:
    assert Client().get("/").status_code == 302
