"""Two hundred people decide at the same moment: one wins, everyone else is told who did."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
Rows = Callable[[str], list[tuple[Any, ...]]]


def crowd(environment: dict[str, str], people: int, processes: int, *words: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.dashboard.crowd", str(people), str(processes), *words]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(told: list[dict[str, Any]], people: int, rows: Rows) -> None:
    (winner,) = [line for line in told if line["won"]]
    losers = [line for line in told if not line["won"]]
    assert len(losers) == people - 1
    assert {(line.get("winner"), line.get("decision")) for line in losers} == {(winner["person"], winner["decision"])}
    assert rows("SELECT decision_id, verdict, kind FROM dashboard_decision") == [
        (winner["decision_id"], winner["decision"], "decision")
    ]
    assert rows("SELECT count(*) FROM dashboard_vote WHERE counts") == [(1,)]
    comments = {comment for (comment,) in rows("SELECT comment FROM dashboard_vote WHERE NOT counts")}
    assert comments == {f"{line['person']} thinks so" for line in losers}
    numbers = [number for (number,) in rows("SELECT number FROM dashboard_audit ORDER BY number")]
    assert numbers == list(range(1, people + 1))


def test_two_hundred_people_in_eight_processes_on_postgresql(database_url: str, tmp_path: Path) -> None:
    told = crowd({"LINESIDE_DATABASE_URL": database_url, "LINESIDE_STATE": str(tmp_path)}, 200, 8)
    with psycopg.connect(database_url) as connection:
        check(told, 200, lambda query: connection.execute(query).fetchall())


def test_many_meet_at_a_request_nobody_has_taken_up_on_postgresql(database_url: str, tmp_path: Path) -> None:
    told = crowd({"LINESIDE_DATABASE_URL": database_url, "LINESIDE_STATE": str(tmp_path)}, 24, 3, "new")
    with psycopg.connect(database_url) as connection:
        check(told, 24, lambda query: connection.execute(query).fetchall())


def test_of_two_hundred_two_agree_who_may_and_one_of_each_group(database_url: str, tmp_path: Path) -> None:
    environment = {"LINESIDE_DATABASE_URL": database_url, "LINESIDE_STATE": str(tmp_path)}
    told = crowd(environment, 200, 8, "quorum")
    (winner,) = [line for line in told if line["won"]]
    own = {f"person-{number}" for number in range(0, 200, 10)}
    refused = {line["person"] for line in told if "on behalf of this person" in line.get("refused", "")}
    voted = {line["person"] for line in told if line.get("voted")}
    late = [line for line in told if line.get("winner")]
    assert len(told) == len(voted) + len(refused) + len(late) == 200
    assert refused <= own
    assert not voted & own
    assert {line["winner"] for line in late} == {winner["person"]}
    with psycopg.connect(database_url) as connection:
        decided = connection.execute(
            "SELECT decision_id, provenance FROM dashboard_decision WHERE kind = 'decision'"
        ).fetchall()
        votes = connection.execute(
            "SELECT u.username, g.name FROM dashboard_vote v JOIN auth_user u ON u.id = v.person_id "
            "JOIN auth_user_groups m ON m.user_id = u.id JOIN auth_group g ON g.id = m.group_id WHERE v.counts"
        ).fetchall()
    assert [decision_id for decision_id, _ in decided] == [winner["decision_id"]]
    assert {name for name, _ in votes} == voted
    assert {"finance", "risk"} <= {group for _, group in votes}


def test_what_people_decide_apart_at_the_same_moment_is_one_audit_trail(database_url: str, tmp_path: Path) -> None:
    environment = {"LINESIDE_DATABASE_URL": database_url, "LINESIDE_STATE": str(tmp_path)}
    told = crowd(environment, 24, 3, "apart")
    assert [line["won"] for line in told] == [True] * 24


def on_sqlite(folder: Path, people: int, processes: int) -> None:
    told = crowd({"LINESIDE_STATE": str(folder)}, people, processes, "new")
    with closing(sqlite3.connect(folder / "lineside.sqlite3")) as connection:
        check(told, people, lambda query: connection.execute(query).fetchall())


def test_forty_people_in_four_processes_on_sqlite(tmp_path: Path) -> None:
    on_sqlite(tmp_path, 40, 4)


@pytest.mark.long
def test_two_hundred_people_in_eight_processes_on_sqlite(tmp_path: Path) -> None:
    on_sqlite(tmp_path, 200, 8)
