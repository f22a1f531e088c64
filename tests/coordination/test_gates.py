"""Gates: the input that arrived last, by the rule of its join."""

from coordination.fanouts import FanOut
from coordination.gates import RUN, Gates
from coordination.tasks import Task
from tests.coordination.timed import fan_out, timed


def gates(tasks: list[Task], *fan_outs: FanOut, until: int = 100, over: bool = True) -> Gates:
    return Gates(tasks, {one.fanout_id: one for one in fan_outs}, 0, until, over=over)


def gated(found: Gates, task_id: str, at: int = 100) -> str | None:
    group = found.last_gate(task_id, at)
    return group.gate.task_id if group else None


def test_the_inputs_of_the_run_are_the_tasks_nobody_asked_for() -> None:
    found = gates([timed("a", 0, 0, 5), timed("b", 0, 0, 9), timed("c", 0, 0, 20, parent="a")])
    assert [group.gate.task_id for group in found.groups(RUN)] == ["a", "b"]


def test_a_parent_that_was_not_read_makes_its_child_an_input_of_the_run() -> None:
    assert gated(gates([timed("c", 0, 0, 5, parent="gone")]), RUN) == "c"


def test_only_what_was_there_by_then_gates() -> None:
    found = gates([timed("a", 0, 0, 5), timed("b", 0, 0, 9), timed("c", 9, 9, 12, needs=("a", "b"))])
    assert (gated(found, "c", 4), gated(found, "c", 8), gated(found, "c", 9)) == (None, "a", "b")


def test_of_two_that_came_together_the_one_that_began_first_gates() -> None:
    found = gates([timed("a", 3, 3, 9), timed("b", 0, 0, 9), timed("c", 9, 9, 12, needs=("a", "b"))])
    assert gated(found, "c") == "b"


def branches(*states: tuple[int, str]) -> list[Task]:
    return [
        timed(f"b{index}", 0, 0, end, parent="p", fanout="f", index=index, state=state)
        for index, (end, state) in enumerate(states)
    ]


def test_a_quorum_is_there_when_the_nth_completed() -> None:
    tasks = [timed("p", 0, 0, 50), *branches((3, "failed"), (5, "completed"), (9, "completed"), (14, "completed"))]
    assert gated(gates(tasks, fan_out("f", "quorum", 2)), "p") == "b2"


def test_a_quorum_that_was_never_met_is_known_by_its_last_end() -> None:
    tasks = [timed("p", 0, 0, 50), *branches((3, "failed"), (5, "completed"), (9, "failed"))]
    assert gated(gates(tasks, fan_out("f", "quorum", 2)), "p") == "b2"


def test_a_branch_that_was_redone_arrives_with_the_last_of_its_chain() -> None:
    first, again = branches((3, "failed"), (9, "completed"))
    again.retry_of = first.task_id
    found = gates([timed("p", 0, 0, 50), first, again], fan_out("f", "all"))
    assert [arrival.task_id for arrival in found.groups("p")[0].arrivals] == ["b1"]


def test_an_open_task_arrives_now_while_the_run_goes_on_and_never_once_it_is_over() -> None:
    tasks = [timed("a", 0, 0, None)]
    assert gated(gates(tasks, over=False), RUN) == "a"
    assert gated(gates(tasks, over=True), RUN) is None


def test_an_input_that_was_not_read_is_no_input() -> None:
    assert gates([timed("c", 0, 0, 5, needs=("gone",))]).groups("c") == []
