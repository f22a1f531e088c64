"""What-if is walked anew: another input may become the one that gates."""

from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coordination.criticalpath import critical_path
from coordination.delays import PHASES, delays
from coordination.fanouts import FanOut
from coordination.tasks import Task
from coordination.whatif import without
from tests.coordination.test_criticalpath import Plain
from tests.coordination.timed import fan_out, small_run, timed

CASES = settings(max_examples=max(300, settings().max_examples))
REVIEW = {"human_review", "decision_returning"}


def test_without_the_review_of_the_only_path_its_time_is_gone() -> None:
    tasks = [timed("a", 0, 0, 20, paused=(5, 15)), timed("b", 20, 20, 30, needs=("a",))]
    assert without(tasks, {}, 0, 30, REVIEW, over=True) == 20


def test_another_input_becomes_the_one_that_gates() -> None:
    tasks = [
        timed("a", 0, 0, 20, paused=(5, 15)),
        timed("b", 0, 0, 17),
        timed("c", 20, 20, 30, needs=("a", "b")),
    ]
    # Subtracting would say 20: but b is there at 17 only.
    assert without(tasks, {}, 0, 30, REVIEW, over=True) == 27


def test_time_off_the_path_saves_nothing() -> None:
    tasks = [timed("a", 0, 0, 20), timed("b", 0, 0, 18, paused=(2, 10)), timed("c", 20, 20, 30, needs=("a", "b"))]
    assert without(tasks, {}, 0, 30, REVIEW, over=True) == 30


def test_any_is_met_by_whichever_branch_would_have_been_first() -> None:
    branches = [
        timed("b0", 0, 0, 10, parent="p", fanout="f", index=0),
        timed("b1", 0, 0, 18, parent="p", fanout="f", index=1, paused=(2, 14)),
    ]
    tasks = [timed("p", 0, 0, 15), *branches]
    assert without(tasks, {"f": fan_out("f", "any")}, 0, 15, REVIEW, over=True) == 11


@pytest.mark.timeout(20)
def test_a_parent_of_ten_thousand_children_is_no_matter() -> None:
    children = [timed(f"c{i}", i, i, i + 3, parent="p") for i in range(10_000)]
    tasks = [timed("p", 0, 0, 10_010), *children]
    assert without(tasks, {}, 0, 10_010, REVIEW, over=True) == 10_010
    assert critical_path(tasks, {}, 0, 10_010, over=True).wall == 10_010


def test_a_chain_of_ten_thousand_is_no_matter() -> None:
    tasks = [timed(f"c{i}", i, i, i + 1, needs=(f"c{i - 1}",) if i else ()) for i in range(10_000)]
    assert without(tasks, {}, 0, 10_000, {"execution"}, over=True) == 0


@CASES
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_without_nothing_the_run_takes_as_long_as_it_took(seed: int, size: int) -> None:
    tasks, fan_outs, end = small_run(seed, size)
    assert without(tasks, fan_outs, 0, end, (), over=True) == end


@CASES
@given(st.integers(0, 2**32), st.integers(1, 10), st.sampled_from(PHASES))
def test_it_is_what_a_plain_recursion_says(seed: int, size: int, phase: str) -> None:
    tasks, fan_outs, end = small_run(seed, size)
    found = without(tasks, fan_outs, 0, end, {phase}, over=True)
    assert found == recursion(tasks, fan_outs, end, phase)
    assert 0 <= found <= end


def recursion(tasks: list[Task], fan_outs: dict[str, FanOut], end: int, phase: str) -> int:
    plain = Plain(tasks, fan_outs, end)
    by_id = plain.tasks

    def spent(name: str, low: int, high: int) -> int:
        if not name:
            return high - low if phase != "unattributed" else 0
        return sum(span.length for span in delays(by_id[name], end).within(low, high) if span.phase != phase)

    def groups(name: str) -> list[list[str]]:
        inputs = plain.inputs(name)
        found = {tuple(sorted(o for o in inputs if o == one or same(o, one))) for one in inputs}
        return [list(one) for one in sorted(found)]

    def same(one: str, other: str) -> bool:
        return by_id[one].fanout_id != "" and by_id[one].fanout_id == by_id[other].fanout_id

    def gate(peers: list[str]) -> tuple[int, int]:
        """(when the group was there, when it would have been)."""
        rule = fan_outs.get(by_id[peers[0]].fanout_id)
        need, counted = len(peers), peers
        good = [one for one in peers if by_id[one].state == "completed"]
        if rule is not None and rule.join in ("any", "quorum"):
            wanted = 1 if rule.join == "any" else rule.quorum or 1
            if len(good) >= wanted:
                need, counted = wanted, good
        was, last = plain.met(peers, rule)
        moved = []
        for one in counted:
            ended = by_id[one].ended_at or 0
            could = ended <= was if one != last else True
            if could or (by_id[one].requested_at or 0) < was:
                moved.append(moment(one, ended))
            else:
                moved.append(ended)
        return was, sorted(moved)[need - 1]

    under_way: set[tuple[str, int]] = set()

    @cache
    def moment(name: str, at: int) -> int:
        assume((name, at) not in under_way)  # a circle: what follows from what is then a matter of taste
        under_way.add((name, at))
        begin = (by_id[name].requested_at or 0) if name else 0
        was = {index: plain.met(peers, rule_of(peers))[0] for index, peers in enumerate(groups(name))}
        gates = [gate(groups(name)[index]) for index, instant in was.items() if instant <= at]
        before = [one for one in gates if one[0] <= begin]
        after = [one for one in gates if one[0] > begin]
        parent = by_id[name].parent_task_id if name else ""
        roots = [moment(parent, begin)] if parent else []
        if before:
            gap = 0 if parent else begin - max(one[0] for one in before)
            roots.append(max(one[1] for one in before) + gap)
        new = max(roots, default=begin)
        low = max((one[0] for one in after), default=begin)
        answer = max([new, *(one[1] for one in after)]) + spent(name, low, at)
        under_way.discard((name, at))
        return answer

    def rule_of(peers: list[str]) -> FanOut | None:
        return fan_outs.get(by_id[peers[0]].fanout_id)

    return moment("", end)
