"""The flow of records between agents and topics, from evidence: who was seen to write, who has positions.

An edge that is declared and was never seen, and one that was seen and never declared, is named: it is drift.
"""

from typing import Any, Final

import msgspec

from coordination.lag import words
from coordination.manifest import TOPICS
from dashboard.api.addresses import address
from dashboard.api.instants import iso
from dashboard.api.signs import verdict_chip
from dashboard.manifest import manifest
from dashboard.models import ConsumerGroup, FlowEdge
from dashboard.readers import subscriptions

# What every agent on the runtime is declared to write, by family.
WRITES: Final = ("run.task.events", "ops.events", "ops.heartbeats")
OURS: Final = ("lineside",)


def flow_graph(now: int) -> dict[str, Any]:
    """{nodes, edges}: groups and topics; edges group → topic (writes) and topic → group (reads) with rate, waiting
    and age, and `drift`: "" as declared, `never seen` or `not declared`."""
    groups = {each.agent_group: msgspec.json.decode(each.body) for each in _groups()}
    writes, reads = _writes(groups, now), _reads(groups)
    topics = sorted({edge["topic"] for edge in (*writes, *reads)})
    names = sorted({edge["group"] for edge in (*writes, *reads)})
    nodes = [_group_node(name, groups.get(name)) for name in names] + [_topic_node(topic) for topic in topics]
    return {"nodes": nodes, "edges": writes + reads, "as_of": iso(now)}


def _groups() -> Any:
    return ConsumerGroup.objects.exclude(agent_group="").order_by("agent_group")


def _writes(groups: dict[str, Any], now: int) -> list[dict[str, Any]]:
    names = manifest()
    seen = {(edge.agent_group, edge.topic): edge for edge in FlowEdge.objects.exclude(agent_group="")}
    declared = {(group, names.topic_named(family)) for group in groups for family in WRITES}
    return [
        {
            "way": "writes",
            "group": group,
            "topic": topic,
            "rate": seen[group, topic].rate if (group, topic) in seen else 0.0,
            "seen": seen[group, topic].seen if (group, topic) in seen else 0,
            "last_at": iso(seen[group, topic].last_at) if (group, topic) in seen else None,
            "waiting": None,
            "age": "",
            "drift": _write_drift(group, topic, (group, topic) in seen),
        }
        for group, topic in sorted(declared | seen.keys())
    ]


def _write_drift(group: str, topic: str, seen: bool) -> str:
    if not seen:
        return "never seen"
    declared = manifest().declared(topic)
    allowed = declared is not None and (declared.agents_write or group in OURS)
    return "" if allowed else "not declared"


def _reads(groups: dict[str, Any]) -> list[dict[str, Any]]:
    names, said = manifest(), subscriptions()
    commands = names.topic_named("run.task.commands")
    rows = []
    for group, row in groups.items():
        parts: dict[str, list[dict[str, Any]]] = {}
        for part in row.get("partitions") or []:
            parts.setdefault(part["topic"], []).append(part)
        wanted = {commands, names.topic_named("run.decision.commands")} | _subscribed(said.get(group, frozenset()))
        for topic in sorted(parts.keys() | wanted):
            mine = parts.get(topic, [])
            seen = any(part.get("commit") is not None for part in mine)
            rows.append(_read(group, topic, mine, seen, declared=topic in wanted, row=row))
    return rows


def _read(
    group: str, topic: str, parts: list[dict[str, Any]], seen: bool, *, declared: bool, row: dict[str, Any]
) -> dict[str, Any]:
    known = [part["waiting"] for part in parts if part.get("waiting") is not None]
    ages = [part["age_seconds"] for part in parts if part.get("waiting") and part.get("age_seconds") is not None]
    commands = topic == manifest().topic_named("run.task.commands")
    return {
        "way": "reads",
        "group": group,
        "topic": topic,
        "rate": row.get("out_per_minute") if commands else None,
        "seen": None,
        "last_at": row.get("last_commit_at"),
        "waiting": sum(known) if known else None,
        "age": words(int(max(ages) * 1_000_000)) if ages else "",
        "drift": "" if seen and declared else "not declared" if seen else "never seen",
    }


def _subscribed(types: frozenset[str]) -> set[str]:
    names = manifest()
    found = set()
    for kind in types:
        try:
            found.add(names.topic_for(kind.removeprefix("coordination.")))
        except KeyError:
            continue
    return found


def _group_node(name: str, row: dict[str, Any] | None) -> dict[str, Any]:
    chip = verdict_chip(row["verdict"]["state"]) if row else None
    url = address("agents", name) if row else None
    return {"id": f"group/{name}", "kind": "group", "label": name, "url": url, "chip": chip}


def _topic_node(topic: str) -> dict[str, Any]:
    family = manifest().family_of(topic)
    return {
        "id": f"topic/{topic}",
        "kind": "topic",
        "label": ".".join(topic.split(".")[-2:]),
        "name": topic,
        "access": TOPICS[family].access if family else "",
        "url": None,
    }
