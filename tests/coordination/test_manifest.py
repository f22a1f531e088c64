"""Rules of the declared topics."""

import pytest

from coordination.events import CATALOGUE
from coordination.manifest import FOREVER, TOPICS, Manifest
from coordination.topicmapping import TopicMapping

DAY = 86_400_000
# topic: key, partitions, cleanup, days kept; the protocol's table.
TABLE = {
    "coord.run.task.commands": ("taskid", 12, "delete", 7),
    "coord.run.task.events": ("taskid", 12, "delete", 30),
    "coord.run.tool.events": ("taskid", 12, "delete", 14),
    "coord.run.tool.commands": ("taskid", 12, "delete", 3),
    "coord.run.decision.commands": ("taskid", 12, "delete", 30),
    "coord.run.state.handled": ("taskid", 12, "compact", None),
    "coord.run.workflow.events": ("correlationid", 12, "delete", 90),
    "coord.run.state.task": ("taskid", 12, "compact,delete", 90),
    "coord.run.state.workflow": ("correlationid", 12, "compact", None),
    "coord.run.state.agent": ("agentid", 3, "compact", None),
    "coord.review.approval.commands": ("taskid", 12, "delete", 30),
    "coord.review.approval.events": ("taskid", 12, "delete", 400),
    "coord.ops.commands": ("subject", 3, "delete", 7),
    "coord.ops.events": ("subject", 3, "delete", 14),
    "coord.ops.heartbeats": ("agentid", 3, "compact,delete", 1),
    "dlq.coord.run": ("original", 3, "delete", 30),
    "dlq.coord.review": ("original", 3, "delete", 400),
    "dlq.coord.ops": ("original", 3, "delete", 30),
}


def test_the_manifest_is_the_protocols_table() -> None:
    manifest = Manifest()
    assert set(manifest.topics) == set(TABLE)
    for name, (key, partitions, cleanup, days) in TABLE.items():
        declared = manifest.declared(name)
        assert declared is not None
        kept = FOREVER if days is None else days * DAY
        assert (declared.key, declared.partitions, declared.cleanup, declared.retention_ms) == (
            key,
            partitions,
            cleanup,
            kept,
        )


def test_specs_speak_kafkas_language_and_stamp_append_time() -> None:
    specs = {spec.name: spec for spec in Manifest().specs(replication=3)}
    commands = specs["coord.run.task.commands"]
    assert (commands.partitions, commands.replication) == (12, 3)
    assert commands.config["retention.ms"] == str(7 * DAY)
    assert {spec.config["message.timestamp.type"] for spec in specs.values()} == {"LogAppendTime"}
    assert {spec.config["min.insync.replicas"] for spec in specs.values()} == {"2"}


def test_a_single_broker_is_not_asked_for_two_replicas() -> None:
    assert all("min.insync.replicas" not in spec.config for spec in Manifest().specs())


def test_run_and_review_share_one_partition_count_so_that_a_key_has_one_shard() -> None:
    shared = set(Manifest().co_partitioned())
    keyed = {f"coord.{topic.family}" for topic in TOPICS.values() if topic.key in ("taskid", "correlationid")}
    assert shared == keyed


def test_names_and_families_are_each_others_inverse() -> None:
    manifest = Manifest("acme")
    for family in TOPICS:
        assert manifest.family_of(manifest.topic_named(family)) == family
    assert manifest.topic_named("dlq.review") == "dlq.acme.review"
    assert manifest.family_of("coord.run.task.events") is None


def test_every_type_has_a_topic() -> None:
    manifest = Manifest("acme")
    for name, entry in CATALOGUE.items():
        assert manifest.topic_for(name) == f"acme.{entry.topic}"
    with pytest.raises(KeyError):
        manifest.topic_for("task.unheard")


@pytest.mark.parametrize(
    ("topic", "letters"),
    [
        ("coord.run.task.commands", "dlq.coord.run"),
        ("coord.review.approval.commands", "dlq.coord.review"),
        ("coord.ops.commands", "dlq.coord.ops"),
        ("orders", "dlq.coord.run"),
    ],
)
def test_dead_letters_keep_their_class(topic: str, letters: str) -> None:
    assert Manifest().dead_letter_topic(topic) == letters


def test_agents_never_read_the_review_class() -> None:
    manifest = Manifest()
    for name in manifest.topics:
        assert manifest.agents_may_read(name) == name.startswith("coord.run.")
    assert not manifest.agents_may_read("orders")


def test_agents_write_only_what_the_protocol_lets_them() -> None:
    manifest = Manifest()
    assert {name for name in manifest.topics if manifest.agents_may_write(name)} == {
        "coord.run.task.commands",
        "coord.run.task.events",
        "coord.run.tool.commands",
        "coord.run.tool.events",
        "coord.run.workflow.events",
        "coord.run.state.handled",
        "coord.review.approval.commands",
        "coord.ops.events",
        "coord.ops.heartbeats",
        "dlq.coord.run",
    }
    assert not manifest.agents_may_write("orders")


def test_a_mapped_topic_takes_the_place_of_ours() -> None:
    mapping = TopicMapping({"shop.tasks": "run.task.commands", "shop.more": "run.task.commands"}, {})
    manifest = Manifest(mapping=mapping)
    assert manifest.topic_named("run.task.commands") == manifest.topic_for("task.requested") == "shop.tasks"
    assert manifest.family_of("shop.more") == "run.task.commands"
    assert "coord.run.task.commands" not in manifest.topics
    assert {"shop.tasks", "shop.more"} <= {spec.name for spec in manifest.specs()}
