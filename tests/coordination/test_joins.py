"""Joins: distinct branches, the last of a chain of retries, who is missing and where, and the verdict."""

import msgspec
import pytest

from coordination.fanouts import Branch, FanOut
from coordination.joins import JoinProgress, Missing, Where, last_of_chain, progress, where
from coordination.tasks import Task
from tests.coordination.timed import fan_out, timed


def branch(index: int, state: str = "completed", ended: int = 5, name: str = "", retry_of: str = "") -> Task:
    """A branch that ended in this state, or is open in it."""
    over = state in ("completed", "failed", "canceled", "rejected", "expired")
    task = timed(name or f"b{index}", 0, 1, ended if over else None, fanout="f", index=index, state=state)
    return msgspec.structs.replace(task, state=state, fact_state=state, retry_of=retry_of)


def sealed(join: str, count: int, quorum: int | None = None, **rest: object) -> FanOut:
    return msgspec.structs.replace(fan_out("f", join, quorum), expected=count, **rest)


def judged(row: FanOut, *members: Task, dead: tuple[str, ...] = ()) -> tuple[str, str]:
    found = progress(row, members, dead=dead)
    return found.verdict, found.reason


@pytest.mark.parametrize(
    ("join", "quorum", "states", "verdict"),
    [
        ("all", None, ["completed", "completed", "completed"], "met"),
        ("all", None, ["completed", "working", "completed"], "can complete"),
        ("all", None, ["completed", "failed", "working"], "cannot complete"),
        ("all", None, ["completed", "canceled", "working"], "cannot complete"),
        ("any", None, ["working", "completed", "failed"], "met"),
        ("any", None, ["working", "failed", "failed"], "can complete"),
        ("any", None, ["failed", "failed", "failed"], "cannot complete"),
        ("quorum", 2, ["completed", "completed", "working"], "met"),
        ("quorum", 2, ["completed", "failed", "working"], "can complete"),
        ("quorum", 2, ["completed", "failed", "failed"], "cannot complete"),
        ("all_settled", None, ["completed", "failed", "canceled"], "met"),
        ("all_settled", None, ["completed", "failed", "working"], "can complete"),
    ],
)
def test_a_sealed_join_is_judged_by_its_rule(join: str, quorum: int | None, states: list[str], verdict: str) -> None:
    members = [branch(index, state) for index, state in enumerate(states)]
    assert judged(sealed(join, 3, quorum), *members)[0] == verdict


@pytest.mark.parametrize(
    ("join", "states", "verdict"),
    [
        ("all", ["completed", "completed"], "unknown"),
        ("all", ["completed", "failed"], "cannot complete"),
        ("any", ["working", "completed"], "met"),
        ("any", ["failed", "failed"], "unknown"),
        ("all_settled", ["completed", "failed"], "unknown"),
    ],
)
def test_an_unsealed_join_is_unknown_unless_nothing_could_change_it(join: str, states: list[str], verdict: str) -> None:
    members = [branch(index, state) for index, state in enumerate(states)]
    assert judged(fan_out("f", join), *members)[0] == verdict


def test_unsealed_says_how_many_there_are_at_least() -> None:
    found = progress(fan_out("f", "all"), [branch(0), branch(4, "working")])
    assert (found.expected, found.known, found.arrived) == (None, 2, 1)
    assert found.reason == "1 of ≥ 2 branches completed; more may come"


def test_sealed_names_every_index_also_those_never_asked_for() -> None:
    found = progress(sealed("all", 4), [branch(1), branch(3, "working")])
    assert [(one.index, one.task_id, one.where.place) for one in found.missing] == [
        (0, "", "not produced"),
        (2, "", "not produced"),
        (3, "b3", "running"),
    ]
    assert (found.missing_count, found.counts) == (3, {"completed": 1, "working": 1, "not produced": 2})


def test_branches_named_at_the_opening_are_known_before_they_are_asked_for() -> None:
    row = msgspec.structs.replace(fan_out("f", "all"), branches=(Branch(0, "b0"), Branch(1, "later")))
    found = progress(row, [branch(0)])
    assert found.missing == (Missing(1, "later", Where("not produced")),)
    assert found.known == 2


def test_a_total_that_the_members_know_seals_as_well() -> None:
    members = [msgspec.structs.replace(branch(0), fanout_count=1)]
    assert judged(fan_out("f", "all"), *members)[0] == "met"


def test_totals_that_disagree_are_flagged_and_the_seal_holds() -> None:
    found = progress(sealed("all", 2), [msgspec.structs.replace(branch(0), fanout_count=3)])
    assert (found.expected, found.disagrees) == (2, True)


def test_of_a_branch_that_was_redone_the_last_of_the_chain_counts() -> None:
    chain = [branch(0, "failed"), branch(0, "failed", name="again", retry_of="b0")]
    assert judged(sealed("all", 1), *chain)[0] == "cannot complete"
    third = branch(0, "working", name="third", retry_of="again")
    found = progress(sealed("all", 1), [*chain, third])
    assert (found.verdict, found.arrived, found.duplicates) == ("can complete", 0, ())
    assert [one.task_id for one in found.missing] == ["third"]


def test_a_retry_that_says_no_index_stands_for_the_branch_it_redoes() -> None:
    again = msgspec.structs.replace(branch(0, name="again", retry_of="b0"), fanout_index=None)
    found = progress(sealed("all", 1), [branch(0, "failed"), again])
    assert (found.verdict, found.arrived) == ("met", 1)


def test_two_tasks_for_one_index_are_a_duplicate_and_the_first_end_counts() -> None:
    found = progress(sealed("all", 1), [branch(0, "failed", 9, name="slow"), branch(0, ended=3, name="quick")])
    assert [(one.index, one.task_ids) for one in found.duplicates] == [(0, ("quick", "slow"))]
    assert (found.verdict, found.arrived) == ("met", 1)


def test_branches_without_an_index_count_each() -> None:
    members = [msgspec.structs.replace(branch(index), fanout_index=None) for index in range(2)]
    found = progress(sealed("all", 3), members)
    assert (found.arrived, found.missing_count, len(found.missing)) == (2, 1, 1)


def test_the_verdict_of_the_runtime_stands_above_ours() -> None:
    row = sealed("all", 2, verdict="failed", verdict_reason="gave up", verdict_at=7)
    assert judged(row, branch(0), branch(1)) == ("failed", "gave up")


def test_a_branch_that_ended_after_the_verdict_is_late() -> None:
    row = sealed("any", 3, verdict="satisfied", verdict_at=5, causes=(Branch(0, "b0", "completed"),))
    found = progress(row, [branch(0, ended=4), branch(1, ended=9), branch(2, "working")])
    assert [(one.index, one.task_id) for one in found.late] == [(1, "b1")]


def test_a_branch_that_was_told_to_be_late_is_told_once() -> None:
    row = sealed("any", 2, verdict="satisfied", verdict_at=5, late=(Branch(1, "b1", "completed", "e"),))
    assert len(progress(row, [branch(0, ended=4), branch(1, ended=9)]).late) == 1


def test_a_join_whose_opening_was_not_read_has_no_rule() -> None:
    found = progress(FanOut(run_id="r", fanout_id="f"), [branch(0)])
    assert (found.rule, found.verdict) == ("unknown", "unknown")


def test_the_input_to_blame_is_named() -> None:
    assert judged(sealed("all", 2), branch(0), branch(1, "failed"), dead=("b1",)) == (
        "cannot complete",
        "input /1 is dead-lettered; all branches are needed",
    )


def place(state: str, **rest: object) -> str:
    return where(Task(run_id="r", task_id="t", state=state, **rest)).place  # type: ignore[arg-type]


def test_where_an_input_is_has_a_word_for_every_state() -> None:
    assert place("requested", command_offset=3) == "in broker"
    assert place("submitted") == "received"
    assert place("working") == "running"
    assert place("retry_wait") == "retrying"
    assert place("input_required") == "in review"
    assert place("auth_required") == "in review"
    assert place("failed") == "failed"
    assert place("failed", dead_lettered=True) == "dead-lettered"
    assert place("unknown") == "unknown"


def test_in_the_broker_means_a_position() -> None:
    task = Task(run_id="r", task_id="t", state="requested", command_topic="c", command_partition=4, command_offset=7)
    assert where(task) == Where("in broker", None, "c", 4, 7)


def test_a_circle_of_retries_ends() -> None:
    first = branch(0, "failed", name="a", retry_of="b")
    second = branch(0, "failed", name="b", retry_of="a")
    assert set(last_of_chain([first, second])) == {"a", "b"}


def test_a_total_that_nobody_can_mean_costs_nothing() -> None:
    found = progress(sealed("all", 10**15), [branch(0), branch(2)])
    assert [one.index for one in found.missing] == [1, *range(3, 202)]
    assert found.missing_count == 10**15 - 2


def test_missing_is_listed_up_to_two_hundred_and_counted_beyond() -> None:
    found: JoinProgress = progress(sealed("all", 1000), [branch(0)])
    assert (len(found.missing), found.missing_count) == (200, 999)
