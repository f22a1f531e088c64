"""Joins too large to read: what the database counts is what reading every branch gives."""

import random
from typing import Any

import pytest

from coordination.fanouts import Branch
from coordination.joins import JoinProgress
from dashboard.api import joinstands
from dashboard.api.joinstands import standings
from tests.dashboard.scenes import NOW, dead_letter, fan_out, run, task

pytestmark = pytest.mark.django_db
SHOWN = 20


def compared(stands: JoinProgress) -> dict[str, Any]:
    """All that both ways must agree on; of missing inputs the large way names the first."""
    fields = ("expected", "known", "arrived", "completed", "counts", "missing_count", "duplicates", "verdict", "reason")
    found = {name: getattr(stands, name) for name in fields}
    return found | {"missing": set(stands.missing[:SHOWN]), "late": {(one.index, one.task_id) for one in stands.late}}


def both(monkeypatch: pytest.MonkeyPatch, *rows: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same joins, read and counted."""
    read = {name: compared(one) for name, one in standings("run-1", rows).items()}
    monkeypatch.setattr(joinstands, "READ", -1)
    return read, {name: compared(one) for name, one in standings("run-1", rows).items()}


def member(index: int | None, state: str, name: str = "", fan: str = "fan", **fields: Any) -> None:
    ended = {} if state in ("requested", "working", "input_required") else {"ended_at": NOW + (index or 0)}
    task(name or f"{fan}-{index}", state=state, fanout_id=fan, fanout_index=index, **(ended | fields))


@pytest.mark.parametrize("join", ["all", "any", "quorum", "all_settled"])
@pytest.mark.parametrize("states", [["completed"], ["completed", "working"], ["completed", "failed", "requested"]])
def test_counting_gives_what_reading_gives(monkeypatch: pytest.MonkeyPatch, join: str, states: list[str]) -> None:
    run()
    row = fan_out("fan", join=join, quorum=3 if join == "quorum" else None, expected=9)
    for index in range(7):
        member(index, states[index % len(states)])
    read, counted = both(monkeypatch, row)
    assert counted == read


def test_redone_and_doubly_claimed_branches_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    row = fan_out("fan", expected=6)
    member(0, "completed")
    member(1, "failed", name="first", ended_at=NOW - 5)
    member(1, "completed", name="again", retry_of="first")
    member(2, "completed", name="one")
    member(2, "working", name="other")
    member(3, "failed", name="lost")
    member(None, "completed", name="redone", retry_of="lost")
    member(4, "requested")
    read, counted = both(monkeypatch, row)
    assert counted == read
    assert counted["fan"]["arrived"] == 4


def test_branches_without_an_index_are_found_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    row = fan_out("fan", expected=3, branches=(Branch(0, "named"), Branch(1, "silent"), Branch(2, "fan-2")))
    member(None, "completed", name="named")
    member(2, "working")
    read, counted = both(monkeypatch, row)
    assert counted == read
    assert {one.index for one in counted["fan"]["missing"]} == {1, 2}


def test_an_unsealed_join_takes_its_total_from_what_its_branches_say(monkeypatch: pytest.MonkeyPatch) -> None:
    row, silent = fan_out("fan"), fan_out("nobody")
    member(0, "completed")
    member(1, "working", fanout_count=4)
    read, counted = both(monkeypatch, row, silent)
    assert counted == read
    assert counted["fan"]["expected"] == 4


def test_what_ended_after_the_verdict_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    row = fan_out("fan", expected=4, verdict="satisfied", verdict_at=NOW + 1, causes=(Branch(2, "fan-2"),))
    for index in range(4):
        member(index, "completed")
    read, counted = both(monkeypatch, row)
    assert counted == read
    assert counted["fan"]["late"] == {(3, "fan-3")}


def test_the_first_lost_branch_is_named_dead_letter_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [fan_out("fan", expected=3), fan_out("b", expected=2)]
    member(0, "failed")
    member(1, "failed", ended_at=NOW - 9)
    member(0, "canceled", fan="b")
    dead_letter(1, task_id="fan-1")
    read, counted = both(monkeypatch, *rows)
    assert counted == read
    assert "/1 is dead-lettered" in counted["fan"]["reason"]


@pytest.mark.parametrize("seed", range(12))
def test_counting_agrees_with_reading_whatever_happened(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    states = ("completed", "completed", "working", "requested", "failed", "canceled", "input_required")
    rows = []
    for fan in ("f", "g"):
        rows.append(fan_out(fan, join=chance.choice(("all", "any", "all_settled")), expected=chance.choice((12, 15))))
        indexes: list[int] = []
        for number in range(12):
            redone = chance.randrange(number) if number and chance.random() < 0.2 else None
            other = chance.randrange(10) if chance.random() < 0.2 else number
            indexes.append(other if redone is None else indexes[redone])
            state = chance.choice(states)
            ended = NOW + chance.randrange(1000) if state in ("completed", "failed", "canceled") else None
            task(
                f"{fan}{number}",
                state=state,
                fanout_id=fan,
                fanout_index=indexes[-1],
                ended_at=ended,
                requested_at=NOW + number,
                retry_of="" if redone is None else f"{fan}{redone}",
            )
    read, counted = both(monkeypatch, *rows)
    assert counted == read


def test_the_number_of_queries_does_not_grow_with_the_branches(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    rows = [fan_out(f"f{number}", expected=3) for number in range(20)]
    for number in range(20):
        member(0, "completed", fan=f"f{number}")
        member(1, "failed", fan=f"f{number}")
        member(2, "working", fan=f"f{number}")
    monkeypatch.setattr(joinstands, "READ", 30)
    with django_assert_max_num_queries(14):
        standings("run-1", rows)
