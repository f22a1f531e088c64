"""The critical path against a walk of its own, written plainly, on small runs; and the cases a person checks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.criticalpath import CriticalPath, critical_path
from coordination.fanouts import FanOut
from coordination.tasks import Task
from tests.coordination.timed import fan_out, small_run, timed

CASES = settings(max_examples=max(300, settings().max_examples))


def path_of(tasks: list[Task], end: int, *fan_outs: FanOut, over: bool = True) -> CriticalPath:
    return critical_path(tasks, {one.fanout_id: one for one in fan_outs}, 0, end, over=over)


def told(path: CriticalPath) -> list[tuple[str, str, int]]:
    return [(one.task_id, one.phase, one.length) for one in path.stretches]


def test_a_chain_of_dependencies_is_walked_from_its_end_to_its_start() -> None:
    path = path_of([timed("a", 0, 2, 10), timed("b", 10, 11, 20, needs=("a",))], 20)
    assert told(path) == [("a", "in_broker", 2), ("a", "execution", 8), ("b", "in_broker", 1), ("b", "execution", 9)]


def test_of_two_inputs_the_later_one_gates_and_the_other_has_slack() -> None:
    tasks = [timed("a", 0, 0, 4), timed("b", 0, 0, 9), timed("c", 0, 9, 12, needs=("a", "b"))]
    path = path_of(tasks, 12)
    assert told(path) == [("b", "execution", 9), ("c", "execution", 3)]
    assert [(one.task_id, one.input_id, one.gated_by, one.slack) for one in path.slacks] == [("c", "a", "b", 5)]


def test_a_parent_that_waits_for_its_child_is_gated_by_it() -> None:
    path = path_of([timed("p", 0, 0, 20), timed("c", 5, 6, 15, parent="p")], 20)
    assert told(path) == [
        ("p", "execution", 5),
        ("c", "in_broker", 1),
        ("c", "execution", 9),
        ("p", "execution", 5),
    ]


def branches(*ends: int) -> list[Task]:
    return [timed(f"b{i}", 1, 1, end, parent="p", fanout="f", index=i) for i, end in enumerate(ends)]


def test_any_is_gated_by_the_first_branch_and_quorum_by_the_kth() -> None:
    tasks = [timed("p", 0, 0, 20), *branches(5, 9, 14)]
    by_rule = {
        join: next(
            one.task_id for one in path_of(tasks, 20, fan_out("f", join, quorum)).stretches if one.task_id != "p"
        )
        for join, quorum in (("all", None), ("any", None), ("quorum", 2), ("all_settled", None))
    }
    assert by_rule == {"all": "b2", "any": "b0", "quorum": "b1", "all_settled": "b2"}


def test_a_branch_after_the_join_was_met_does_not_gate() -> None:
    tasks = [timed("p", 0, 0, 20), *branches(5, 19)]
    path = path_of(tasks, 20, fan_out("f", "any"))
    assert path.stretches[-1].start == 5
    assert {one.task_id for one in path.stretches} == {"p", "b0"}


def test_an_open_run_is_walked_from_now_through_what_is_still_open() -> None:
    tasks = [timed("p", 0, 0, None), timed("c", 4, 6, None, parent="p")]
    path = path_of(tasks, 30, over=False)
    assert told(path) == [("p", "execution", 4), ("c", "in_broker", 2), ("c", "execution", 24)]


def test_a_task_that_is_still_open_did_not_gate_a_run_that_is_over() -> None:
    tasks = [timed("a", 0, 0, 10), timed("b", 0, 0, None)]
    assert told(path_of(tasks, 12)) == [("a", "execution", 10), ("", "unattributed", 2)]


def test_what_nobody_explains_is_the_runs_own_unattributed_time() -> None:
    assert told(path_of([timed("a", 3, 3, 5)], 9)) == [
        ("", "unattributed", 3),
        ("a", "execution", 2),
        ("", "unattributed", 4),
    ]


def test_a_run_without_tasks_is_all_unattributed() -> None:
    path = path_of([], 7)
    assert told(path) == [("", "unattributed", 7)]


def test_review_on_the_path_is_told_apart_from_execution() -> None:
    path = path_of([timed("a", 0, 0, 20, paused=(5, 15))], 20)
    assert path.parts() == {"execution": 10, "human_review": 10}


def test_clocks_that_make_a_circle_end_the_walk_all_the_same() -> None:
    tasks = [timed("a", 0, 0, 10, needs=("b",)), timed("b", 0, 0, 10, needs=("a",))]
    assert path_of(tasks, 10).wall == sum(path_of(tasks, 10).parts().values())


@CASES
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_the_stretches_tile_the_run_from_start_to_end(seed: int, size: int) -> None:
    tasks, fan_outs, end = small_run(seed, size)
    path = critical_path(tasks, fan_outs, 0, end, over=True)
    edges = [0, *(one.end for one in path.stretches)]
    assert [one.start for one in path.stretches] == edges[:-1]
    assert edges[-1] == end
    assert sum(path.parts().values()) == path.wall == end


class Plain:
    """The walk as one would explain it: look at every input, take the last that was there."""

    def __init__(self, tasks: list[Task], fan_outs: dict[str, FanOut], end: int) -> None:
        self.tasks, self.fan_outs, self.end = {task.task_id: task for task in tasks}, fan_outs, end

    def inputs(self, name: str) -> set[str]:
        roots = {one for one, task in self.tasks.items() if not task.parent_task_id}
        mine = {one for one, task in self.tasks.items() if task.parent_task_id == name} if name else roots
        return mine | set(self.tasks[name].depends_on if name else ())

    def gate(self, name: str, begin: int, at: int) -> tuple[int, str] | None:
        passed = []
        inputs = self.inputs(name)
        for one in inputs:
            fanout = self.tasks[one].fanout_id
            peers = sorted(
                other for other in inputs if other == one or (fanout and self.tasks[other].fanout_id == fanout)
            )
            moment = self.met(peers, self.fan_outs.get(fanout))
            if begin < moment[0] <= at:
                passed.append(moment)
        # Of equals the one that began first gates.
        return max(passed, key=lambda one: (one[0], -(self.tasks[one[1]].requested_at or 0), one[1]), default=None)

    def met(self, peers: list[str], rule: FanOut | None) -> tuple[int, str]:
        ends = [(self.tasks[one].ended_at or 0, -(self.tasks[one].requested_at or 0), one) for one in peers]
        good = sorted(one for one in ends if self.tasks[one[2]].state == "completed")
        if rule is not None and rule.join in ("any", "quorum"):
            need = 1 if rule.join == "any" else rule.quorum or 1
            if len(good) >= need:
                return good[need - 1][0], good[need - 1][2]
        return sorted(ends)[-1][0], sorted(ends)[-1][2]

    def walk(self) -> list[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = []
        name, at = "", self.end
        while True:
            begin = (self.tasks[name].requested_at or 0) if name else 0
            gate = self.gate(name, begin, at)
            if gate is not None:
                found.append((name, gate[0], at))
                at, name = gate
                continue
            found.append((name, begin, at))
            after = self.before(name, begin)
            if after is None:
                return [one for one in [*found, ("", 0, begin)] if one[1] < one[2]]
            found.append(("", after[0], begin))
            at, name = after

    def before(self, name: str, begin: int) -> tuple[int, str] | None:
        if not name:
            return None
        parent = self.tasks.get(self.tasks[name].parent_task_id)
        if parent is not None:  # small runs request a child while its parent lives
            return begin, parent.task_id
        return self.gate(name, -1, begin)


def merged(stretches: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Neighbouring stretches of one task as one, in time order."""
    found: list[tuple[str, int, int]] = []
    for name, low, high in sorted(stretches, key=lambda one: one[1]):
        if found and found[-1][0] == name and found[-1][2] == low:
            found[-1] = (name, found[-1][1], high)
        elif low < high:
            found.append((name, low, high))
    return found


@CASES
@given(st.integers(0, 2**32), st.integers(1, 10))
def test_the_path_is_the_one_a_plain_walk_finds(seed: int, size: int) -> None:
    tasks, fan_outs, end = small_run(seed, size)
    path = critical_path(tasks, fan_outs, 0, end, over=True)
    plain = Plain(tasks, fan_outs, end).walk()
    assert merged([(one.task_id, one.start, one.end) for one in path.stretches]) == merged(plain)
