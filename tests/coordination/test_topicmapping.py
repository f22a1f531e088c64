"""Rules of the mapping file."""

import pytest

from coordination.manifest import TOPICS
from coordination.topicmapping import FAMILIES, BadTopicMapping, read_mapping

TOML = """
[topics]
"shop.tasks" = "run.task.commands"

[headers]
"x-run" = "correlationid"
"x-agent" = "ce_agentid"
"""
JSON = '{"topics": {"shop.tasks": "run.task.commands"}, "headers": {"x-run": "correlationid", "x-agent": "ce_agentid"}}'


def test_toml_and_json_say_the_same() -> None:
    mapping = read_mapping(TOML, "toml")
    assert mapping == read_mapping(JSON, "json")
    assert mapping.topics == {"shop.tasks": "run.task.commands"}
    assert mapping.headers == {"x-run": "ce_correlationid", "x-agent": "ce_agentid"}


def test_both_tables_may_be_missing() -> None:
    assert read_mapping("", "toml") == read_mapping("{}", "json")


def test_every_declared_family_can_be_mapped() -> None:
    assert set(TOPICS) == FAMILIES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[topics", "TOML"),
        ('[topics]\na = "run.task.thing"', "run.task.thing"),
        ("[topics]\na = 5", "topics"),
        ('[topic]\na = "run.task.events"', "topic"),
        ('[headers]\na = "task id"', "task id"),
        ('[headers]\na = "ce_"', "attribute"),
    ],
)
def test_a_bad_file_is_told_in_words(text: str, words: str) -> None:
    with pytest.raises(BadTopicMapping, match=words):
        read_mapping(text, "toml")


def test_a_file_that_is_no_json_is_told_in_words() -> None:
    for text in ("{", "[]", "[" * 100_000):
        with pytest.raises(BadTopicMapping, match="JSON"):
            read_mapping(text, "json")
