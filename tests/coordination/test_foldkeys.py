"""Rules of fold keys."""

from hypothesis import given
from hypothesis import strategies as st

from coordination.foldkeys import UNSTAMPED, FoldKeys, fallback_key, fold_key

keys = st.lists(st.text("abc", min_size=1, max_size=3), max_size=5)


@given(keys)
def test_the_set_of_predecessors_decides_not_their_order_or_number(given_keys: list[str]) -> None:
    assert fold_key("t", "g", given_keys) == fold_key("t", "g", [*reversed(given_keys), *given_keys])


def test_each_part_decides() -> None:
    four = {fold_key("t", "g"), fold_key("u", "g"), fold_key("t", "h"), fold_key("t", "g", ["x"]), fold_key("tg", "")}
    assert len(four) == 5


def test_a_key_is_sixteen_hex_digits_and_a_fallback_is_marked() -> None:
    assert len(fold_key("t", "g")) == 16
    assert int(fold_key("t", "g"), 16)
    assert fallback_key("t", "g") == UNSTAMPED + fold_key("t", "g")


def test_a_thousand_branches_and_their_children_are_two_folds() -> None:
    stamps = FoldKeys()
    stamps.stamp("root", "plan", "planner")
    branches = {stamps.stamp(f"b{n}", "code", "coder", ["root"]) for n in range(1000)}
    children = {stamps.stamp(f"c{n}", "test", "tester", [f"b{n}"]) for n in range(1000)}
    join = stamps.stamp("join", "merge", "merger", [f"c{n}" for n in range(1000)])
    assert (len(branches), len(children), len(branches | children | {join})) == (1, 1, 3)


def test_a_predecessor_requested_elsewhere_can_be_learned() -> None:
    stamps = FoldKeys()
    stamps.learn("t-0", "k")
    assert stamps.stamp("t-1", "code", "coder", ["t-0"]) == fold_key("code", "coder", ["k"])


def test_an_unknown_predecessor_makes_the_task_fall_back() -> None:
    assert FoldKeys().stamp("t-1", "code", "coder", ["t-0"]) == fallback_key("code", "coder")
