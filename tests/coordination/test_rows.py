"""Rows: what a shard is, and which topics share their shards."""

from coordination.manifest import Manifest
from coordination.rows import Layout, Touched


def test_a_shard_is_one_partition_number_over_all_topics_with_as_many_partitions() -> None:
    layout = Layout()
    assert layout.shard("coord.run.task.events", 7) == layout.shard("coord.review.approval.events", 7) == "12-7"
    assert layout.shard("coord.ops.events", 2) == "3-2"


def test_the_real_number_of_partitions_counts_more_than_the_declared_one() -> None:
    assert Layout(partitions={"coord.run.task.events": 24}).shard("coord.run.task.events", 7) == "24-7"


def test_a_topic_nobody_knows_has_one_partition_and_no_family() -> None:
    layout = Layout()
    assert (layout.shard("elsewhere", 0), layout.family("elsewhere")) == ("1-0", "")


def test_topics_are_alike_if_they_share_their_shards() -> None:
    assert Layout().alike("coord.run.task.commands", "run.task.events")
    assert not Layout().alike("coord.ops.events", "run.task.events")
    small = Layout(partitions={"coord.run.task.events": 3, "coord.ops.events": 3})
    assert small.alike("coord.ops.events", "run.task.events")


def test_families_come_from_the_manifest_of_the_log() -> None:
    assert Layout(Manifest("other").family_of).family("other.run.task.events") == "run.task.events"
    assert Layout(Manifest("other").family_of).family("coord.run.task.events") == ""


def test_runs_are_those_whose_parts_were_touched() -> None:
    assert Touched(run_parts={("a", "12-1"), ("a", "12-2"), ("b", "12-1")}).runs == {"a", "b"}
