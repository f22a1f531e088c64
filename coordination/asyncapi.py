"""The protocol as an AsyncAPI 3.1 document: channels are topics, messages are event types.

Operations are an agent's: what it may send and what it may receive. Every message has its `ce_type` as a constant, so
that a record matches exactly one. Schemas are those of the data structs. Sources: AsyncAPI 3.1.0, Kafka binding 0.5.0.
"""

from typing import Any, Final

import msgspec

from coordination.attributes import LIMITS, PREFIX
from coordination.events import CATALOGUE, EventType
from coordination.manifest import TOPICS, Manifest, Topic

BINDING: Final = "0.5.0"
SCHEMAS: Final = "#/components/schemas/{name}"
REQUIRED: Final = ("specversion", "id", "source", "type")
ALWAYS_OURS: Final = ("time", "subject", "tenant", "agentid", "partitionkey")


def document(version: str, manifest: Manifest | None = None) -> dict[str, Any]:
    """The document of the catalogue and the manifest; `version` is that of the protocol, for instance 1.0.0."""
    declared = manifest or Manifest()
    _, schemas = msgspec.json.schema_components([entry.schema for entry in CATALOGUE.values()], ref_template=SCHEMAS)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Coordination of agents over a log",
            "version": version,
            "description": "CloudEvents 1.0 in Kafka's binary mode. Names that end in `.requested` are intents: only "
            "their addressee acts on them. All other names are facts.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.family: _channel(topic, declared) for topic in TOPICS.values()},
        "operations": dict(_operations(declared)),
        "components": {
            "messages": {name: _message(entry) for name, entry in CATALOGUE.items()},
            "schemas": {"CloudEventHeaders": _headers(), **schemas},
        },
    }


def _channel(topic: Topic, manifest: Manifest) -> dict[str, Any]:
    name = manifest.topic_named(topic.family)
    channel: dict[str, Any] = {
        "address": name,
        "description": f"Keyed by {topic.key}: {topic.why}.",
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": topic.cleanup.split(","), "retention.ms": topic.retention_ms},
                "bindingVersion": BINDING,
            }
        },
    }
    messages = [entry.name for entry in CATALOGUE.values() if entry.topic == topic.family]
    if messages:
        channel["messages"] = {one: {"$ref": f"#/components/messages/{one}"} for one in messages}
    return channel


def _operations(manifest: Manifest) -> Any:
    for topic in TOPICS.values():
        name = manifest.topic_named(topic.family)
        for action, may in (("send", manifest.agents_may_write(name)), ("receive", manifest.agents_may_read(name))):
            if may:
                yield f"{action}.{topic.family}", _operation(topic, action)


def _operation(topic: Topic, action: str) -> dict[str, Any]:
    messages = [entry.name for entry in CATALOGUE.values() if entry.topic == topic.family]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.family}"},
        "messages": [{"$ref": f"#/channels/{topic.family}/messages/{one}"} for one in messages],
    }


def _message(entry: EventType) -> dict[str, Any]:
    kind = "Asks" if entry.kind == "intent" else "States"
    return {
        "name": entry.type,
        "title": entry.name,
        "summary": f"{kind}. Subject `{entry.subject}/<id>`, keyed by {entry.key}.",
        "contentType": "application/json",
        "correlationId": {"location": f"$message.header#/{PREFIX}correlationid"},
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEventHeaders"},
                {"type": "object", "properties": {f"{PREFIX}type": {"const": entry.type}}},
            ]
        },
        "payload": {"$ref": SCHEMAS.format(name=entry.schema.__name__)},
        "bindings": {"kafka": {"key": {"type": "string", "maxLength": 256}, "bindingVersion": BINDING}},
    }


def _headers() -> dict[str, Any]:
    """The attributes as headers; only four are needed to be read, ours are always written."""
    properties = {f"{PREFIX}{name}": {"type": "string", "maxLength": limit} for name, limit in LIMITS.items()}
    del properties[f"{PREFIX}content-type"]
    return {
        "type": "object",
        "description": f"Our own producers also always write {', '.join(ALWAYS_OURS)}.",
        "properties": {**properties, f"{PREFIX}specversion": {"const": "1.0"}},
        "required": [f"{PREFIX}{name}" for name in REQUIRED],
    }
