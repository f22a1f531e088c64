"""Rules of the topic plan: what counts as a difference, and which may be settled without a person."""

import pytest

from coordination.eventlog import TopicInfo
from coordination.manifest import Manifest
from coordination.topicplan import Plan, compare

MANIFEST = Manifest()
EVENTS = "coord.run.task.events"
HANDLED = "coord.run.state.handled"


def as_made(*, replication: int = 1, **config: str) -> dict[str, TopicInfo]:
    return {
        spec.name: TopicInfo(spec.name, spec.partitions, replication, {**spec.config, **config})
        for spec in MANIFEST.specs(replication=replication)
    }


def planned(found: dict[str, TopicInfo], replication: int = 1, mapped: tuple[str, ...] = ()) -> Plan:
    specs = MANIFEST.specs(replication=replication)
    return compare(specs, found, namespace="coord", shared=MANIFEST.co_partitioned(), mapped=mapped)


def changed(name: str, *, replication: int = 1, partitions: int = 0, **config: str) -> Plan:
    """The plan when one topic is otherwise; dots in names of settings are written as underscores."""
    found = as_made(replication=replication)
    before = found[name]
    settings = {**(before.config or {}), **{key.replace("_", "."): value for key, value in config.items()}}
    found[name] = TopicInfo(name, partitions or before.partitions, replication, settings)
    return planned(found, replication)


def test_a_log_made_from_the_manifest_is_as_declared() -> None:
    plan = planned(as_made())
    assert {topic.state for topic in plan.topics} == {"as declared"}
    assert plan.settled
    assert not plan.to_create


def test_on_an_empty_log_everything_is_missing() -> None:
    plan = planned({})
    assert plan.to_create == MANIFEST.specs()
    assert not plan.settled


def test_topics_under_our_names_are_unknown_and_those_of_others_are_counted() -> None:
    strangers = {
        name: TopicInfo(name, 1, 1, {}) for name in ("coord.extra", "dlq.coord.extra", "orders", "coordinates")
    }
    plan = planned(as_made() | strangers)
    assert [topic.name for topic in plan.in_state("unknown")] == ["coord.extra", "dlq.coord.extra"]
    assert plan.others == 2
    assert plan.settled


@pytest.mark.parametrize(
    ("config", "differs"),
    [
        ({"retention_ms": "60000"}, True),
        ({"retention_ms": "99999999999"}, False),
        ({"retention_ms": "-1"}, False),
        ({"retention_ms": ""}, True),
        ({"message_timestamp_type": "CreateTime"}, True),
        ({"segment_ms": "1"}, False),
    ],
)
def test_keeping_longer_is_no_difference_and_everything_else_can_be_set(config: dict[str, str], differs: bool) -> None:
    plan = changed(EVENTS, **config)
    assert plan.settled is not differs
    assert (EVENTS in plan.to_configure) is differs


def test_only_what_differs_is_set() -> None:
    plan = changed(EVENTS, retention_ms="1", message_timestamp_type="CreateTime")
    declared = {spec.name: spec.config for spec in MANIFEST.specs()}[EVENTS]
    assert plan.to_configure == {EVENTS: {name: declared[name] for name in ("retention.ms", "message.timestamp.type")}}


def test_what_must_be_kept_for_ever_is_not_content_with_long() -> None:
    plan = changed(HANDLED, retention_ms="99999999999999")
    assert plan.to_configure == {HANDLED: {"retention.ms": "-1"}}


@pytest.mark.parametrize(("name", "policy"), [(EVENTS, "compact"), (HANDLED, "delete"), (HANDLED, "compact,delete")])
def test_another_cleanup_is_for_a_person(name: str, policy: str) -> None:
    plan = changed(name, cleanup_policy=policy)
    (topic,) = plan.in_state("differs")
    assert [one.setting for one in topic.by_hand] == ["cleanup.policy"]
    assert not plan.to_configure


def test_the_order_of_cleanup_policies_does_not_matter() -> None:
    assert changed("coord.ops.heartbeats", cleanup_policy="delete,compact").settled


@pytest.mark.parametrize("partitions", [1, 6, 24])
def test_another_number_of_partitions_is_never_settled_by_itself(partitions: int) -> None:
    plan = changed(EVENTS, partitions=partitions)
    (topic,) = plan.in_state("differs")
    assert topic.name == EVENTS
    assert [one.words for one in topic.by_hand] == [f"partitions is {partitions}, declared 12"]
    assert not plan.to_configure
    assert not plan.to_create


def test_topics_that_agree_on_another_number_are_right_and_the_missing_one_is_made_like_them() -> None:
    found = as_made()
    for name in MANIFEST.co_partitioned():
        found[name] = TopicInfo(name, 24, 1, found[name].config)
    del found[EVENTS]
    plan = planned(found)
    assert [(spec.name, spec.partitions) for spec in plan.to_create] == [(EVENTS, 24)]
    assert not plan.in_state("differs")


def test_a_single_topic_decides_nothing() -> None:
    plan = planned({EVENTS: TopicInfo(EVENTS, 1, 1, as_made()[EVENTS].config)})
    assert {spec.partitions for spec in plan.to_create} == {12, 3}
    assert [one.words for topic in plan.topics for one in topic.by_hand] == ["partitions is 1, declared 12"]


def test_topics_of_somebody_else_decide_how_many_partitions_ours_have() -> None:
    plan = planned({EVENTS: TopicInfo(EVENTS, 24, 1, as_made()[EVENTS].config)}, mapped=(EVENTS,))
    assert {spec.partitions for spec in plan.to_create} == {24, 3}
    assert not plan.in_state("differs")


def test_fewer_copies_are_for_a_person_and_more_are_fine() -> None:
    assert planned(as_made(replication=3)).settled
    plan = planned(as_made(replication=1), replication=3)
    assert not plan.settled
    assert {one.setting for topic in plan.topics for one in topic.by_hand} == {"replication", "min.insync.replicas"}
    assert not plan.to_configure


def test_fewer_copies_in_sync_can_be_set_where_there_are_enough() -> None:
    plan = changed(EVENTS, replication=3, min_insync_replicas="1")
    assert plan.to_configure == {EVENTS: {"min.insync.replicas": "2"}}


def test_settings_that_cannot_be_read_are_unknown_and_not_wrong() -> None:
    found = as_made()
    found[EVENTS] = TopicInfo(EVENTS, 12, 1, None)
    plan = planned(found)
    assert [topic.name for topic in plan.in_state("unreadable")] == [EVENTS]
    assert plan.settled


def test_a_topic_of_somebody_else_is_neither_made_nor_changed() -> None:
    missing = planned({name: info for name, info in as_made().items() if name != EVENTS}, mapped=(EVENTS,))
    assert not missing.settled
    assert not missing.to_create
    found = as_made()
    found[EVENTS] = TopicInfo(EVENTS, 12, 1, {"cleanup.policy": "delete", "retention.ms": "1"})
    differing = planned(found, mapped=(EVENTS,))
    assert not differing.to_configure
    assert len(differing.in_state("differs")[0].by_hand) == 2
