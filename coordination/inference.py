"""What can be known of an event whose envelope is incomplete: foreign CloudEvents are welcome.

Run, task and agent are taken from the subject, else from the record key where the key of that topic is known,
the agent also from the source. Whatever was found is named in the event's `inferred`.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from coordination.attributes import LIMITS
from coordination.event import Event
from coordination.events import CATALOGUE
from coordination.manifest import Manifest

DEFAULT_TENANT: Final = "default"
_AGENT_SOURCE: Final = re.compile(r"/[^/]+/agents/([^/]+)/[^/]+")
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "taskid": ("task_id", "task"),
    "correlationid": ("run_id", "run"),
    "agentid": ("agent_id", "agent"),
}


def inferred(event: Event, missing: tuple[str, ...], key: bytes | None, manifest: Manifest) -> Event:
    """The event with what could be found for its missing attributes; the same event if nothing was."""
    named = _named(key)
    found = _identities(event, missing, named, _key_attribute(event, manifest))
    if "tenant" in missing:
        found["tenant"] = DEFAULT_TENANT
    if "partitionkey" in missing and named:
        found["partitionkey"] = named
    if "subject" in missing:
        found["subject"] = _subject(event, found)
    names = tuple(name for name in missing if found.get(name) or name == "time")
    if not names:
        return event
    return msgspec.structs.replace(
        event,
        tenant=found.get("tenant", event.tenant),
        partition_key=found.get("partitionkey", event.partition_key),
        subject=found.get("subject", event.subject),
        task_id=found.get("taskid", event.task_id),
        run_id=found.get("correlationid", event.run_id),
        agent_id=found.get("agentid", event.agent_id),
        inferred=names,
    )


def _identities(event: Event, missing: tuple[str, ...], named: str, keyed_by: str) -> dict[str, str]:
    kind, _, ident = event.subject.partition("/")
    found = {}
    for attribute, (_, subject_kind) in _FIELDS.items():
        if attribute not in missing:
            continue
        value = ident if kind == subject_kind else named if keyed_by == attribute else ""
        if not value and attribute == "agentid":
            match = _AGENT_SOURCE.fullmatch(event.source)
            value = match[1] if match else ""
        if value and len(value) <= LIMITS[attribute]:
            found[attribute] = value
    return found


def _key_attribute(event: Event, manifest: Manifest) -> str:
    if event.known:
        return CATALOGUE[event.name].key
    declared = manifest.declared(event.topic)
    return declared.key if declared else ""


def _named(key: bytes | None) -> str:
    """The key as an attribute value; empty where it could not be one."""
    try:
        text = (key or b"").decode()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() and len(text) <= LIMITS["partitionkey"] else ""


def _subject(event: Event, found: Mapping[str, str]) -> str:
    task, run = found.get("taskid", event.task_id), found.get("correlationid", event.run_id)
    if task:
        return f"task/{task}"
    return f"run/{run}" if run else ""
