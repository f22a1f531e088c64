"""The structural difference: every changed place once, with its sign; nothing is hidden without a count."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.argdiff import SHOWN, difference, listing, text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def test_changed_new_and_gone_arguments_have_their_sign() -> None:
    found = difference({"a": 1, "b": "x", "c": True}, {"a": 2, "b": "x", "d": None})
    assert [(change.sign, change.path, change.old, change.new) for change in found.changes] == [
        ("~", "a", "1", "2"),
        ("+", "d", None, "null"),
        ("−", "c", "true", None),
    ]
    assert found.same == ("b",)


def test_items_taken_out_of_a_list_are_named_by_their_old_place() -> None:
    found = difference({"items": ["a", "b", "c"]}, {"items": ["a", "c"]})
    assert [(change.sign, change.path, change.old) for change in found.changes] == [("−", "items[1]", '"b"')]


def test_lists_of_one_length_are_compared_item_by_item() -> None:
    found = difference([1, 2], [1, 3])
    assert [(change.sign, change.path) for change in found.changes] == [("~", "[1]")]


def test_true_and_one_differ() -> None:
    assert difference({"a": 1}, {"a": True}).changes[0].sign == "~"


def test_long_differences_are_cut_with_a_count() -> None:
    found = difference({}, {str(number): number for number in range(SHOWN + 5)})
    assert (len(found.changes), found.more) == (SHOWN, 5)


def test_a_listing_has_no_sign_and_no_old_value() -> None:
    found = listing({"a": [1]})
    assert [(change.sign, change.path, change.old, change.new) for change in found.changes] == [("", "a", None, "[1]")]


def test_a_bare_value_is_listed_as_the_value() -> None:
    assert listing(7).changes[0].path == "value"


def test_long_text_says_how_much_is_missing() -> None:
    assert text("x" * 150_000).endswith("characters more")


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    assert difference(value, value).changes == ()


@given(JSON, JSON)
def test_values_without_a_difference_are_equal(old: object, new: object) -> None:
    if not difference(old, new).changes:
        assert old == new
