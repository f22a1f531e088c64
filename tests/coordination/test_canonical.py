"""Rules of the one spelling."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.canonical import NotCanonical, canonical, digest
from coordination.events.approval import Action

trees = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(-(2.0**53) + 1, 2.0**53 - 1, allow_nan=False),
        st.floats(1e21, 1e300),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(trees)
def test_reading_and_writing_again_gives_the_same_bytes(tree: Any) -> None:
    once = canonical(tree)
    assert canonical(msgspec.json.decode(once)) == once


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), st.integers(0, 9), max_size=6))
def test_the_order_of_keys_does_not_matter(tree: dict[str, int]) -> None:
    assert digest(tree) == digest(dict(reversed(tree.items())))


def test_the_example_of_rfc_8785_section_3_2_3() -> None:
    tree = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "literals": [None, True, False],
    }
    assert canonical(tree) == b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        10**30,
        2.0**53,
        -1e20,
        float("nan"),
        float("inf"),
        "\ud800",
        {"a": {"b": [2**60]}},
        {1: "a"},
        object(),
    ],
)
def test_what_two_readers_could_understand_differently_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        digest(value)


def test_the_digest_is_that_of_sha256() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_struct_is_hashed_like_the_json_it_is_sent_as() -> None:
    action = Action(name="pay", args={"b": 1, "a": "10.00"})
    assert digest(action) == digest({"name": "pay", "args": {"a": "10.00", "b": 1}})
