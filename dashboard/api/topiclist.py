"""Topics: what the manifest declares against what the log says of itself, and what may follow from it, in words.

The log is asked by the lag poll in the background. What is not told (a right that is missing, a log without
settings) is *not told*, never *as declared*.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.db.models import Max, Min

from coordination.eventlog import TopicInfo
from coordination.manifest import Topic
from coordination.topicplan import TopicPlan, compare
from dashboard.api.queue import open_requests
from dashboard.manifest import manifest
from dashboard.models import BrokerTopic, ConsumerGroup, Position, Task
from dashboard.topicrisks import Found, risks, spell

SECOND: Final = 1_000_000
MILLISECOND: Final = 1000
STALE: Final = 120 * SECOND
SIGNS: Final[dict[str, tuple[str, str]]] = {
    "as declared": ("done", "as declared"),
    "differs": ("failed", "differs"),
    "missing": ("failed", "missing"),
    "unreadable": ("unknown", "settings not told"),
    "unknown": ("unknown", "not declared"),
    "not asked": ("waiting", "not asked yet"),
}


def topic_rows(now: int) -> list[dict[str, Any]]:
    """One row a topic: the declared ones in their order, then others under our names. Worst risk in words."""
    names = manifest()
    told = _told(now)
    replication = max((row.replication for row in told.values()), default=1)
    mapped = set(names.mapping.topics)
    plan = compare(
        names.specs(replication=replication),
        {name: _info(row) for name, row in told.items()},
        namespace=names.namespace,
        shared=names.co_partitioned(),
        mapped=mapped,
    )
    met, oldest, groups = _met(), _oldest(), _readers()
    return [
        _row(each, names.declared(each.name), told.get(each.name), met.get(each.name, {}), oldest, groups, now)
        for each in (plan.topics if told else _undecided(plan.topics))
    ]


def _told(now: int) -> dict[str, BrokerTopic]:
    """What the last look at the log told; a topic that was not there then is missing from it."""
    last = BrokerTopic.objects.aggregate(at=Max("taken_at"))["at"] or 0
    return {row.topic: row for row in BrokerTopic.objects.filter(taken_at=last)}


def _undecided(topics: tuple[TopicPlan, ...]) -> list[TopicPlan]:
    return [msgspec.structs.replace(topic, state="unknown", differences=()) for topic in topics]


def _info(row: BrokerTopic) -> TopicInfo:
    return TopicInfo(row.topic, row.partitions, row.replication, row.config, row.topic_id)


def _met() -> dict[str, dict[str, Any]]:
    """What ingest has read of each topic."""
    found: dict[str, dict[str, Any]] = {}
    for row in Position.objects.order_by("topic"):
        sums = found.setdefault(row.topic, {"met": 0, "records": 0, "behind": None, "last_at": None})
        sums["met"] += 1
        sums["records"] += row.records
        if row.end_offset is not None:
            sums["behind"] = (sums["behind"] or 0) + max(0, row.end_offset - row.next_offset)
        sums["last_at"] = max(filter(None, (sums["last_at"], row.last_at)), default=None)
    return found


def _oldest() -> dict[str, int]:
    """Family -> when the oldest thing on it that somebody still waits for was asked for (µs)."""
    waits = Task.objects.filter(state="requested", ended_at=None).aggregate(at=Min("requested_at"))["at"]
    asks = open_requests().aggregate(at=Min("requested_at"))["at"]
    found = {"run.task.commands": waits, "review.approval.commands": asks}
    return {family: at for family, at in found.items() if at is not None}


def _readers() -> dict[str, list[str]]:
    """Topic -> the groups that read it."""
    found: dict[str, set[str]] = {}
    for group in ConsumerGroup.objects.all():
        for part in msgspec.json.decode(group.body).get("partitions") or []:
            if part.get("commit") is not None:
                found.setdefault(part["topic"], set()).add(group.agent_group or group.group)
    return {topic: sorted(names) for topic, names in found.items()}


def _row(
    plan: TopicPlan,
    declared: Topic | None,
    told: BrokerTopic | None,
    met: Mapping[str, Any],
    oldest: Mapping[str, int],
    groups: Mapping[str, list[str]],
    now: int,
) -> dict[str, Any]:
    asked = told is not None or plan.state == "missing"
    sign, label = SIGNS[plan.state if asked else "not asked"]
    warned = list(risks(declared, _found(told), oldest, now)) if declared and told else []
    return {
        "name": plan.name,
        "sign": {"sign": "retrying" if warned and sign == "done" else sign, "label": label},
        "state": label,
        "why": declared.why if declared else "nobody declared it",
        "access": declared.access if declared else "",
        "key": declared.key if declared else "",
        "mapped": plan.mapped,
        "differences": [{"words": one.words, "advice": one.advice, "safe": one.safe} for one in plan.differences],
        "risks": warned,
        "partitions": _beside(declared.partitions if declared else None, told.partitions if told else None),
        "replication": str(told.replication) if told else "not told",
        "cleanup": _beside(declared.cleanup if declared else None, _config(told, "cleanup.policy")),
        "retention": _beside(_kept(declared), _retention_words(told)),
        "rights": "not told" if told is None or told.rights is None else ", ".join(told.rights) or "none",
        "kept": told.records if told else None,
        "records": met.get("records", 0),
        "behind": met.get("behind"),
        "last_at": met.get("last_at"),
        "groups": groups.get(plan.name, []),
    }


def _beside(declared: Any, actual: Any) -> dict[str, Any]:
    """What is declared and what is so; `differs` only if both are known."""
    known = declared is not None and actual is not None
    same = str(declared) == str(actual) or (known and set(str(declared).split(",")) == set(str(actual).split(",")))
    return {"declared": declared, "actual": actual, "differs": known and not same}


def _config(told: BrokerTopic | None, name: str) -> str | None:
    return (told.config or {}).get(name) if told and told.config else None


def _kept(declared: Topic | None) -> str | None:
    if declared is None:
        return None
    return "for ever" if declared.retention_ms < 0 else spell(declared.retention_ms * MILLISECOND)


def _retention_words(told: BrokerTopic | None) -> str | None:
    text = _config(told, "retention.ms")
    if text is None:
        return None
    policy = _config(told, "cleanup.policy") or "delete"
    return spell(int(text) * MILLISECOND) if text.isdigit() and "delete" in policy else "for ever"


def _found(told: BrokerTopic | None) -> Found:
    text, insync = _config(told, "retention.ms") or "", _config(told, "min.insync.replicas") or ""
    policy = _config(told, "cleanup.policy") or ""
    largest = BrokerTopic.objects.aggregate(most=Max("replication"))["most"] or 1
    return Found(
        retention=int(text) * MILLISECOND if text.isdigit() and "delete" in policy else None,
        replication=told.replication if told else 1,
        min_insync=int(insync) if insync.isdigit() else None,
        cleanup=policy,
        rights=None if told is None or told.rights is None else frozenset(told.rights),
        brokers_at_least=largest,
    )
