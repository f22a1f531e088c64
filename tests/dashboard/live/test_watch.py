"""What waits is the newest row of each thing; a frame takes what the budget allows, summaries first."""

import json

import pytest

from dashboard.live.watch import BURST_BYTES, BYTES_A_SECOND, MAX_WAITING, Watch


def row(number: int, revision: int = 1, kind: str = "task", **more) -> dict:
    return {"kind": kind, "id": f"{kind}-{number}", "revision": revision, **more}


def framed(watch: Watch, revision: int = 11, now: float = 0.0) -> dict:
    return json.loads(watch.frame(revision, "2026-01-01T00:00:00Z", now).text)


@pytest.fixture
def watch() -> Watch:
    return Watch("run:1", 10, 0.0)


def test_a_frame_continues_the_chain_of_revisions(watch):
    watch.offer([row(1)])
    first = framed(watch, 11)
    watch.offer([row(2)])
    second = framed(watch, 15)
    assert (first["about"], first["from"], first["to"]) == ("run:1", 10, 11)
    assert (second["from"], second["to"]) == (11, 15)
    assert first["at"] == "2026-01-01T00:00:00Z"


def test_only_the_newest_row_of_a_thing_is_sent(watch):
    watch.offer([row(1, 1), row(1, 3)])
    watch.offer([row(1, 2), row(2, 1)])
    assert framed(watch)["rows"] == [row(1, 3), row(2, 1)]
    assert not watch.waiting


def test_things_of_another_kind_with_the_same_id_are_other_things(watch):
    watch.offer([{"kind": "task", "id": "x", "revision": 1}, {"kind": "fold", "id": "x", "revision": 1}])
    assert len(framed(watch)["rows"]) == 2


def test_what_is_gone_takes_its_waiting_row_with_it_and_may_come_back(watch):
    watch.offer([row(1), row(2)], ["task-1"])
    assert framed(watch)["gone"] == ["task-1"]
    watch.offer([], ["task-2"])
    watch.offer([row(2, 5)])
    frame = framed(watch)
    assert (frame["rows"], frame["gone"]) == ([row(2, 5)], [])


def test_summaries_go_before_single_tasks(watch):
    watch.offer([row(1), row(1, kind="fold"), row(1, kind="approval"), row(1, kind="run"), row(1, kind="odd")])
    assert [each["kind"] for each in framed(watch)["rows"]] == ["run", "approval", "fold", "task", "odd"]


def test_what_does_not_fit_into_the_budget_waits_for_the_next_frame(watch):
    big = "x" * 1000
    watch.offer([row(number, text=big) for number in range(200)] + [row(0, kind="run")])
    first = framed(watch, now=0.0)
    assert first["rows"][0]["kind"] == "run"
    assert BURST_BYTES - 2000 < sum(len(json.dumps(each)) for each in first["rows"]) < BURST_BYTES + 5000
    assert watch.waiting
    second = framed(watch, now=0.2)
    assert len(second["rows"]) == pytest.approx(0.2 * BYTES_A_SECOND / 1060, abs=2)
    sent = [each["id"] for each in (*first["rows"], *second["rows"])]
    assert len(sent) == len(set(sent))


def test_at_least_one_row_goes_however_large(watch):
    watch.offer([row(1, text="x" * BURST_BYTES * 3)])
    assert len(framed(watch)["rows"]) == 1
    watch.offer([row(2)])
    assert len(framed(watch)["rows"]) == 1


def test_a_broken_chain_shows_as_a_hole_and_mends_itself(watch):
    watch.offer([row(1)])
    watch.break_chain()
    frame = framed(watch, 20)
    assert (frame["from"], frame["to"], frame["rows"]) == (20, 20, [])
    watch.offer([row(2)])
    assert framed(watch, 21)["from"] == 20


def test_too_much_waiting_becomes_a_hole_not_memory(watch):
    watch.offer(row(number) for number in range(MAX_WAITING + 1))
    frame = framed(watch, 30)
    assert (frame["from"], frame["rows"]) == (30, [])


def test_a_hole_for_one_viewer_leaves_the_chain_of_the_others(watch):
    watch.offer([row(1)])
    framed(watch, 11)
    hole = json.loads(watch.hole("t").text)
    assert (hole["from"], hole["to"], hole["rows"]) == (11, 11, [])
    watch.offer([row(2)])
    assert framed(watch, 12)["from"] == 11
