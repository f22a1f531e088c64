"""Comparing runs: matched by path, judged by rules, and the difference in time sums exactly."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.comparison import Comparison, Profile, compare, profile, typical
from coordination.criticalpath import critical_path
from coordination.tasks import Task
from tests.coordination.timed import small_run, timed


def of(tasks: list[Task], end: int) -> Profile:
    return profile(tasks, critical_path(tasks, {}, 0, end, over=True))


def one(task_id: str, kind: str, start: int, end: int, **given: object) -> Task:
    return msgspec.structs.replace(timed(task_id, start, start, end, **given), task_type=kind, agent_group="coder")  # type: ignore[arg-type]


def run(prefix: str = "", *, read: int = 100, extra: bool = False, failed: bool = False) -> Profile:
    """plan, then three reads below it (the last of which may fail), perhaps a check, then write."""
    tasks = [one(f"{prefix}plan", "plan", 0, 500)]
    for index in range(3):
        state = "failed" if failed and index == 2 else "completed"
        tasks.append(
            one(f"{prefix}r{index}", "read", 100, 100 + read, parent=f"{prefix}plan", index=index, state=state)
        )
    if extra:
        tasks.append(one(f"{prefix}check", "check", 100, 130, parent=f"{prefix}plan"))
    tasks.append(one(f"{prefix}write", "write", 500, 600, needs=(f"{prefix}plan",)))
    return of(tasks, 600)


def statuses(found: Comparison) -> dict[str, str]:
    return {change.path[-1].partition("@")[0]: change.status for change in found.steps}


def test_the_same_work_under_other_ids_is_the_same() -> None:
    found = compare(run("a-"), run("b-"))
    assert set(statuses(found).values()) == {"same"}
    assert found.tasks == ()
    assert found.change == 0


def test_a_step_in_between_parts_nothing_that_lies_beside_it() -> None:
    found = compare(run(), run(extra=True))
    assert statuses(found) == {"plan": "same", "read": "same", "check": "added", "write": "same"}
    assert statuses(compare(run(extra=True), run()))["check"] == "removed"
    assert [(change.name, change.status) for change in found.tasks] == [("#1", "added")]


def test_slower_by_a_quarter_is_slower_and_less_is_not() -> None:
    assert statuses(compare(run(), run(read=125)))["read"] == "slower"
    assert statuses(compare(run(), run(read=124)))["read"] == "same"
    assert statuses(compare(run(read=125), run()))["read"] == "faster"
    assert compare(run(), run(read=150)).steps[1].change == 50


def test_what_is_small_beside_the_run_is_not_slower() -> None:
    assert statuses(compare(run(read=4), run(read=8)))["read"] == "same"


def test_a_failure_is_told_where_it_is_and_comes_first() -> None:
    found = compare(run("a-"), run("b-", failed=True, read=200))
    assert statuses(found)["read"] == "failed here"
    assert next((change.name, change.status) for change in found.tasks) == ("/2", "failed here")
    assert statuses(compare(run(failed=True), run()))["read"] == "failed there"


def test_siblings_without_index_are_matched_by_title_then_by_order() -> None:
    def named(titles: list[str]) -> Profile:
        tasks = [
            msgspec.structs.replace(one(f"t{place}", "read", place, 100 + place), title=title)
            for place, title in enumerate(titles)
        ]
        return of(tasks, 200)

    found = compare(named(["x", "y", "z", "z"]), named(["y", "x", "z", "z"]))
    assert found.tasks == ()
    assert {name for step in found.after.steps.values() for name in step.members} == {"x", "y", "#3", "#4"}


def test_parents_that_make_a_circle_end() -> None:
    tasks = [one("a", "read", 0, 10, parent="b"), one("b", "read", 0, 10, parent="a")]
    assert len(of(tasks, 20).steps) == 1


def test_edges_say_in_which_run_they_are() -> None:
    found = compare(run(), run(extra=True))
    ends = {(source[-1], target[-1]): where for (source, target), where in found.edges.items()}
    assert ends["plan@coder", "check@coder"] == (False, True)
    assert ends["plan@coder", "write@coder"] == (True, True)


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=6), st.integers(2, 12))
def test_the_difference_by_part_sums_to_the_difference(seeds: list[int], size: int) -> None:
    profiles = []
    for seed in seeds:
        tasks, fan_outs, end = small_run(seed, size)
        profiles.append(profile(tasks, critical_path(tasks, fan_outs, 0, end, over=True)))
    for before in (profiles[0], typical(profiles[:-1])):
        found = compare(before, profiles[-1])
        assert sum(part.change for part in found.parts) == found.change
        assert sum(part.before for part in found.parts) == before.wall
        assert sum(part.after for part in found.parts) == profiles[-1].wall


def test_the_typical_run_has_medians_and_the_steps_that_most_runs_have() -> None:
    found = typical([run(read=100), run(read=120), run(read=300, extra=True)])
    steps = {path[-1].partition("@")[0]: step for path, step in found.steps.items()}
    assert set(steps) == {"plan", "read", "write"}
    assert steps["read"].typical == 120
    assert found.runs == 3
    assert statuses(compare(found, run(read=301)))["read"] == "slower"


@pytest.mark.parametrize("seed", range(5))
def test_a_run_against_itself_differs_in_nothing(seed: int) -> None:
    tasks, fan_outs, end = small_run(random.Random(seed).randrange(1_000), 30)
    mine = profile(tasks, critical_path(tasks, fan_outs, 0, end, over=True))
    found = compare(mine, mine)
    assert {change.status for change in found.steps} == {"same"}
    assert found.tasks == ()
