"""Rules of consumer groups as values."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.errors import MemberFenced
from coordination.eventlog import TopicPartition
from coordination.groupstate import (
    Group,
    Member,
    assign,
    describe,
    expel_silent,
    hand_over,
    join,
    leave,
    renew,
    require_owner,
)

COUNTS = {"a": 4, "b": 4}


def member(name: str, *topics: str, lease_until: int = 1000) -> Member:
    return Member(name, f"client-{name}", "host", topics or ("a",), 1000, lease_until)


def partitions(topic: str, *numbers: int) -> tuple[TopicPartition, ...]:
    return tuple(TopicPartition(topic, number) for number in numbers)


def two_members() -> Group:
    group = hand_over(join(Group("g"), member("1")), "1", COUNTS)
    group = join(group, member("2"))
    return hand_over(hand_over(group, "1", COUNTS), "2", COUNTS)


def test_ranges_are_contiguous_and_the_first_members_take_the_rest() -> None:
    wanted = assign([member("1"), member("2"), member("3")], {"a": 7})
    assert wanted == {
        "1": partitions("a", 0, 1, 2),
        "2": partitions("a", 3, 4),
        "3": partitions("a", 5, 6),
    }


def test_one_partition_number_of_several_topics_goes_to_one_member() -> None:
    wanted = assign([member("1", "a", "b"), member("2", "a", "b")], COUNTS)
    for owned in wanted.values():
        assert {p.partition for p in owned if p.topic == "a"} == {p.partition for p in owned if p.topic == "b"}


def test_a_topic_goes_only_to_members_that_asked_for_it() -> None:
    wanted = assign([member("1", "a"), member("2", "a", "b")], COUNTS)
    assert {p.topic for p in wanted["1"]} == {"a"}
    assert {p for p in wanted["2"] if p.topic == "b"} == set(partitions("b", 0, 1, 2, 3))


def test_more_members_than_partitions_leaves_some_idle() -> None:
    wanted = assign([member(str(number)) for number in range(6)], COUNTS)
    assert sorted(len(owned) for owned in wanted.values()) == [0, 0, 1, 1, 1, 1]


def test_a_newcomer_gets_nothing_before_the_owner_hands_over() -> None:
    group = hand_over(join(Group("g"), member("1")), "1", COUNTS)
    group = hand_over(join(group, member("2")), "2", COUNTS)
    assert "2" not in group.owned
    group = hand_over(hand_over(group, "1", COUNTS), "2", COUNTS)
    assert (group.owned["1"], group.owned["2"]) == (partitions("a", 0, 1), partitions("a", 2, 3))


def test_a_member_may_commit_what_it_owns_and_nothing_else() -> None:
    group = two_members()
    require_owner(group, "1", partitions("a", 0, 1))
    with pytest.raises(MemberFenced, match=r"a\[2\]"):
        require_owner(group, "1", partitions("a", 1, 2))


def test_silence_over_the_session_timeout_expels_and_frees_the_partitions() -> None:
    group = renew(two_members(), "2", 900)
    group = expel_silent(group, 1000)
    assert set(group.members) == {"2"}
    assert hand_over(group, "2", COUNTS).owned == {"2": partitions("a", 0, 1, 2, 3)}
    with pytest.raises(MemberFenced):
        renew(group, "1", 1001)
    with pytest.raises(MemberFenced):
        hand_over(group, "1", COUNTS)
    with pytest.raises(MemberFenced):
        require_owner(group, "1", [])


def test_a_renewed_lease_lasts_one_session_more() -> None:
    group = renew(two_members(), "1", 999)
    assert set(expel_silent(group, 1998).members) == {"1"}
    assert set(expel_silent(group, 1999).members) == set()


def test_a_clock_set_back_does_not_prolong_leases() -> None:
    group = join(Group("g"), member("1", lease_until=3_600_000))
    group = expel_silent(group, 0)
    assert set(group.members) == {"1"}
    assert set(expel_silent(group, 1000).members) == set()


def test_the_generation_grows_when_members_change_and_only_then() -> None:
    group = two_members()
    assert group.generation == 2
    assert renew(group, "1", 5).generation == 2
    assert hand_over(group, "1", COUNTS) is group
    assert expel_silent(group, 0) is group
    assert leave(group, ["3"]) is group
    assert leave(group, ["1"]).generation == 3


def test_a_group_is_stable_once_everybody_owns_what_it_should() -> None:
    group = join(Group("g"), member("1"))
    assert describe(Group("g"), COUNTS).state == "empty"
    assert describe(group, COUNTS).state == "preparing_rebalance"
    info = describe(two_members(), COUNTS)
    assert info.state == "stable"
    assert info.members is not None
    assert [(m.member_id, m.client_id, m.partitions) for m in info.members] == [
        ("1", "client-1", partitions("a", 0, 1)),
        ("2", "client-2", partitions("a", 2, 3)),
    ]


def test_a_deleted_topic_is_nobodys() -> None:
    assert hand_over(two_members(), "1", {}).owned["1"] == ()


def test_a_group_survives_being_stored() -> None:
    group = two_members()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(group), type=Group) == group


acts = st.lists(st.tuples(st.sampled_from(["join", "leave", "poll"]), st.sampled_from("12345")), max_size=40)


@given(acts)
def test_no_partition_is_ever_with_two_members_and_in_the_end_all_are_owned(
    script: list[tuple[str, str]],
) -> None:
    group = Group("g")
    for act, name in script:
        if act == "join" and name not in group.members:
            group = join(group, member(name, "a", "b"))
        elif act == "leave":
            group = leave(group, [name])
        elif act == "poll" and name in group.members:
            group = hand_over(group, name, COUNTS)
        held = [partition for owned in group.owned.values() for partition in owned]
        assert len(held) == len(set(held))
    for name in sorted(group.members) * 2:
        group = hand_over(group, name, COUNTS)
    if group.members:
        assert {p for owned in group.owned.values() for p in owned} == {
            TopicPartition(topic, number) for topic in COUNTS for number in range(4)
        }
