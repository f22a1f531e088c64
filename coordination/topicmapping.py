"""The mapping of existing topics and headers to ours, for logs that were there before us.

A file in TOML or JSON with three tables, any of which may be missing::

    [topics]
    "orders.agent-tasks" = "run.task.commands"     # an existing topic = a family of ours

    [headers]
    "x-workflow-id" = "correlationid"              # an existing header = an attribute of ours

    [schemas]
    framed = true                                  # values begin with a schema registry's magic byte and id
"""

import tomllib
from typing import Any, Final, Literal

import msgspec

from coordination.errors import CoordinationError
from coordination.events import CATALOGUE

PREFIX: Final = "ce_"


class BadTopicMapping(CoordinationError):
    """The mapping file cannot be used; the message names the line or the entry and what to write instead."""

    code = "bad_topic_mapping"


class TopicMapping(msgspec.Struct, frozen=True):
    """`topics`: existing topic -> family. `headers`: existing header -> header of ours, `ce_` included. `framed`:
    a schema registry's magic byte and id stand before values; without them a value is read as it is."""

    topics: dict[str, str] = {}
    headers: dict[str, str] = {}
    framed: bool = False


class _Schemas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    framed: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topics: dict[str, str] = {}
    headers: dict[str, str] = {}
    schemas: _Schemas = _Schemas()


NO_MAPPING: Final = TopicMapping()
EXTRA_FAMILIES: Final = frozenset({"run.state.handled", "dlq.run", "dlq.review", "dlq.ops"})
FAMILIES: Final = frozenset(entry.topic for entry in CATALOGUE.values()) | EXTRA_FAMILIES


def read_mapping(text: str, kind: Literal["json", "toml"]) -> TopicMapping:
    """The mapping a file's text describes. Raises BadTopicMapping."""
    try:
        content: Any = tomllib.loads(text) if kind == "toml" else msgspec.json.decode(text)
        file = msgspec.convert(content, _File)
    except (tomllib.TOMLDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise BadTopicMapping(
            f"The topic mapping is no {kind.upper()} with topics, headers and schemas: {error}"
        ) from None
    for topic, family in file.topics.items():
        _check_family(topic, family)
    headers = {name: _header(name, ours) for name, ours in file.headers.items()}
    return TopicMapping(file.topics, headers, file.schemas.framed)


def _check_family(topic: str, family: str) -> None:
    if family not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise BadTopicMapping(f"Topic {topic!r} is mapped to {family!r}, which is none of: {known}.")


def _header(name: str, ours: str) -> str:
    attribute = ours.removeprefix(PREFIX)
    if not (attribute.isascii() and attribute.isalnum() and attribute.islower()):
        raise BadTopicMapping(f"Header {name!r} is mapped to {ours!r}, which is no attribute name ([a-z0-9]).")
    return PREFIX + attribute
