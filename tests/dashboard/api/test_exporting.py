"""Lists as files: whole, with the rights of the list, and harmless in a spreadsheet."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from dashboard.api import exporting
from dashboard.api.exporting import cell, file_name, table
from tests.dashboard.scenes import failed_task, member, run, signed_in, task, viewer

pytestmark = pytest.mark.django_db


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def client() -> Client:
    return viewer()


def test_a_file_holds_the_whole_list_and_not_one_page(client: Client) -> None:
    run()
    for number in range(230):
        task(f"t{number:03}")
    answer = client.get("/api/v1/runs/run-1/tasks", {"format": "csv", "limit": 10})
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"] == 'attachment; filename="runs-run-1-tasks.csv"'
    assert {row["task_id"] for row in rows_of(answer)} == {f"t{number:03}" for number in range(230)}
    assert len(json.loads(client.get("/api/v1/runs/run-1/tasks?format=json").content)) == 230


def test_a_file_holds_what_the_query_asks_for(client: Client) -> None:
    run()
    task("a")
    failed_task("b")
    (row,) = rows_of(client.get("/api/v1/runs/run-1/tasks?query=state:failed&format=csv"))
    assert (row["task_id"], row["error.type"], row["state"]) == ("b", "HTTPError", "failed")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_would_be_a_formula_stays_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    content = next(csv.reader(io.StringIO(table([{"title": text}]).decode("utf-8-sig").split("\r\n", 1)[1])))
    assert content == [f"'{text}"]


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert [cell(value) for value in (-5, 1.5, None, True, "a-b", ["=x"])] == [-5, 1.5, "", "true", "a-b", '["=x"]']


def test_rows_with_different_fields_share_one_head() -> None:
    (first, second) = csv.DictReader(io.StringIO(table([{"a": 1}, {"b": {"c": 2}}]).decode("utf-8-sig")))
    assert (first, second) == ({"a": "1", "b.c": ""}, {"a": "", "b.c": "2"})


def test_a_file_needs_the_right_of_its_list() -> None:
    run()
    assert signed_in(member("eve")).get("/api/v1/runs?format=csv").status_code == 403


def test_what_is_no_list_and_what_is_no_format_is_told(client: Client) -> None:
    run()
    assert client.get("/api/v1/runs/run-1/graph?format=csv").json()["code"] == "no_list"
    assert client.get("/api/v1/runs?format=xlsx").json()["code"] == "bad_format"


def test_a_list_too_long_for_a_file_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 2)
    for number in range(3):
        run(f"run-{number}")
    answer = client.get("/api/v1/runs?format=csv")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_rows")


def test_a_file_name_holds_nothing_that_a_header_could_take_amiss() -> None:
    assert file_name('a"b\r\nc/../d') == "a_b__c_.._d"
