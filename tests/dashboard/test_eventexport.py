"""Exports: every event once, flat, masked, harmless in a spreadsheet; the same in all three formats."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from dashboard import policies
from dashboard.eventexport import COLUMNS, as_csv, as_json, rows, write_parquet
from dashboard.models import Audit
from tests.dashboard.recordings import tried_twice
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events() -> list[dict[str, Any]]:
    tried_twice().store()
    return list(rows())


def test_every_event_is_there_once_with_every_column(events: list[dict[str, Any]]) -> None:
    assert len({(row["topic"], row["partition"], row["offset"]) for row in events}) == len(events) > 3
    assert all(tuple(row) == COLUMNS for row in events)
    assert {row["run_id"] for row in events} == {"run-1"}


def test_the_three_formats_say_the_same(events: list[dict[str, Any]], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = list(csv.DictReader(io.StringIO("".join(as_csv(events)))))
    objects = [json.loads(line) for line in "".join(as_json(events)).splitlines()]
    with (tmp_path / "e.parquet").open("wb") as file:
        assert write_parquet(events, file) == len(events)
    columns = parquet.read_table(tmp_path / "e.parquet").to_pylist()
    for row, line, found, column in zip(events, lines, objects, columns, strict=True):
        assert (line["id"], found["id"], column["id"]) == (row["id"],) * 3
        assert (int(line["offset"]), found["offset"], column["offset"]) == (row["offset"],) * 3
        assert json.loads(line["data"]) == found["data"] == json.loads(column["data"])
        assert column["time"].isoformat().startswith(row["time"][:19])


def test_payloads_come_as_masking_leaves_them() -> None:
    policies.change("masking", {"paths": ["output.answer"]}, "user-1")
    tried_twice().store()
    masked = [row for row in rows() if row["masked"]]
    assert [json.loads(row["data"])["output"]["answer"] for row in masked] == ["•••"]


def test_no_cell_is_a_formula() -> None:
    row = dict.fromkeys(COLUMNS, "")
    told = "".join(as_csv([row | {"source": "=cmd|' /C calc'!A0", "agent_id": "@x", "id": "-1", "subject": "+2"}]))
    (line,) = csv.DictReader(io.StringIO(told))
    assert [line[name][0] for name in ("source", "agent_id", "id", "subject")] == ["'"] * 4


def test_a_part_can_be_asked_for(events: list[dict[str, Any]]) -> None:
    assert list(rows(run_id="another")) == []
    assert all(row["type"].startswith("coordination.task.attempt") for row in rows(types="task.attempt"))
    assert list(rows(until=1)) == []
    assert len(list(rows(since=1))) == len(events)


def test_the_command_writes_a_file_and_enters_it(events: list[dict[str, Any]], tmp_path: Path) -> None:
    call_command("export_events", str(tmp_path / "e.ndjson"), by="ana")
    assert len((tmp_path / "e.ndjson").read_text().splitlines()) == len(events)
    assert Audit.objects.get(act="events.exported").actor == "command/ana"
    with pytest.raises(CommandError, match="no instant"):
        call_command("export_events", "-", since="yesterday")


async def test_the_api_streams_for_those_who_may_take_payloads_away() -> None:
    await sync_to_async(tried_twice().store)()
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(member)("eve", "view_run", "replay_run"))
    assert (await client.get("/api/v1/exports/events")).status_code == 403
    await client.aforce_login(await sync_to_async(member)("ana", "view_run", "replay_run", "view_segment"))
    answer = await client.get("/api/v1/exports/events?format=json")
    told = b"".join([part async for part in answer.streaming_content]).decode()
    assert {json.loads(line)["run_id"] for line in told.splitlines()} == {"run-1"}
    assert (await client.get("/api/v1/exports/events?format=xlsx")).status_code == 400
    assert await Audit.objects.filter(act="events.exported").acount() == 1
