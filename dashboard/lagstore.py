"""What a poll leaves in the tables: the rows of now, one snapshot a group for the history, what changed, the topics."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from django.db import transaction

from coordination.eventlog import Ends, TopicInfo, TopicPartition
from dashboard.laghistory import Change, Commits
from dashboard.models import BrokerTopic, ConsumerGroup, GroupChange, GroupSnapshot

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
# Grain of a snapshot -> how long (µs) it is kept.
THINNING: Final = ((0, 15 * 60 * SECOND), (1, DAY), (2, 14 * DAY))
CHANGES_KEPT: Final = 14 * DAY
FORGOTTEN: Final = DAY
FIELDS: Final = ("agent_group", "taken_at", "verdict", "waiting", "age_ms", "revision", "body")
TOPIC_FIELDS: Final = (
    *("taken_at", "partitions", "replication", "topic_id", "made_after", "config", "rights", "records"),
)
_pack = msgspec.msgpack.Encoder()
_unpack = msgspec.msgpack.Decoder(dict[str, dict[int, int]])


class Outcome(msgspec.Struct, frozen=True):
    """What one poll found of one group: its row, its commits (None: not read), what changed since `before_at`."""

    row: dict[str, Any]
    commits: Commits | None
    changes: Sequence[Change]
    before_at: int


def pack_commits(commits: Commits | None) -> bytes | None:
    """The commits of a group as a snapshot keeps them."""
    if commits is None:
        return None
    by_topic: dict[str, dict[int, int]] = {}
    for where, commit in commits.items():
        by_topic.setdefault(where.topic, {})[where.partition] = commit
    return _pack.encode(by_topic)


def unpack_commits(kept: bytes | memoryview | None) -> dict[str, dict[int, int]] | None:
    """{topic: {partition: commit}} of a snapshot."""
    return None if kept is None else _unpack.decode(bytes(kept))


def store(outcomes: Sequence[Outcome], at: int) -> None:
    """All that one poll found, in one transaction."""
    marks = GroupSnapshot.objects.filter(grain__gt=0, taken_at__gte=at - 900 * SECOND).order_by("taken_at")
    latest = dict(marks.values_list("group", "taken_at"))
    with transaction.atomic():
        ConsumerGroup.objects.bulk_create(
            [_group(outcome.row, at) for outcome in outcomes],
            update_conflicts=True,
            unique_fields=["group"],
            update_fields=FIELDS,
            batch_size=100,
        )
        GroupSnapshot.objects.bulk_create(
            [_snapshot(outcome, _grain(latest.get(outcome.row["id"]), at), at) for outcome in outcomes], batch_size=100
        )
        GroupChange.objects.bulk_create(
            [_change(outcome, change, at) for outcome in outcomes for change in outcome.changes], batch_size=100
        )
        ConsumerGroup.objects.filter(taken_at__lt=at - FORGOTTEN).delete()


def _group(row: dict[str, Any], at: int) -> ConsumerGroup:
    return ConsumerGroup(
        group=row["id"],
        agent_group=row["group"],
        taken_at=at,
        verdict=row["verdict"]["state"],
        waiting=row["waiting"],
        age_ms=int(row["age_seconds"] * 1000),
        revision=row["revision"],
        body=msgspec.json.encode(row).decode(),
    )


def _snapshot(outcome: Outcome, grain: int, at: int) -> GroupSnapshot:
    row = outcome.row
    return GroupSnapshot(
        group=row["id"],
        taken_at=at,
        grain=grain,
        waiting=row["waiting"],
        age_ms=int(row["age_seconds"] * 1000),
        running=row["running"],
        members=row["members"],
        generation=row["generation"],
        verdict=row["verdict"]["state"],
        arrived=row["arrived"],
        started=row["started"],
        commits=pack_commits(outcome.commits),
    )


def _change(outcome: Outcome, change: Change, at: int) -> GroupChange:
    row = outcome.row
    return GroupChange(
        group=row["id"],
        seen_at=at,
        before_at=outcome.before_at,
        kind=change.kind,
        text=change.text,
        generation=row["generation"],
    )


def _grain(last: int | None, at: int) -> int:
    """2 for the first poll of a quarter of an hour, 1 for the first of a minute, else 0."""
    if last is None or at // (900 * SECOND) != last // (900 * SECOND):
        return 2
    return 1 if at // (60 * SECOND) != last // (60 * SECOND) else 0


def thin(at: int) -> None:
    """Delete history that is older than its grain is kept."""
    for grain, keep in THINNING:
        GroupSnapshot.objects.filter(grain=grain, taken_at__lt=at - keep).delete()
    GroupChange.objects.filter(seen_at__lt=at - CHANGES_KEPT).delete()


def store_topics(
    topics: Mapping[str, TopicInfo],
    ends: Mapping[TopicPartition, Ends],
    rights: Mapping[str, frozenset[str]],
    at: int,
    seen_at: Mapping[str, int],
) -> None:
    """The topics as the log told of them, asked at `at`; the row of one that is gone keeps when it was last seen.

    `seen_at` is the poll before, of the topics whose ends went back since: they were the old ones then. Of others
    the poll tells nothing: one made anew without records, or with more than the old one had, goes back nowhere.
    """
    kept: dict[str, int] = {}
    for where, end in ends.items():
        kept[where.topic] = kept.get(where.topic, 0) + end.high - end.begin
    before = {row.topic: row for row in BrokerTopic.objects.all()}
    with transaction.atomic():
        # A topic that is away may come back as another one: its row is kept, so that this is seen.
        BrokerTopic.objects.bulk_create(
            [
                BrokerTopic(
                    topic=name,
                    taken_at=at,
                    partitions=info.partitions,
                    replication=info.replication,
                    topic_id=info.topic_id,
                    made_after=_made_after(before.get(name), info, seen_at.get(name, 0)),
                    config=info.config,
                    rights=sorted(rights[name]) if name in rights else None,
                    records=kept.get(name),
                )
                for name, info in topics.items()
            ],
            update_conflicts=True,
            unique_fields=["topic"],
            update_fields=[*TOPIC_FIELDS],
        )


def _made_after(before: BrokerTopic | None, info: TopicInfo, seen_at: int) -> int | None:
    """When there was last another topic of this name."""
    if before is None or not before.topic_id or before.topic_id == info.topic_id:
        return before.made_after if before else None
    return max(before.taken_at, seen_at)


def made_after() -> dict[str, int]:
    """Topic -> the instant (µs) after which it was made anew, of those that were."""
    rows = BrokerTopic.objects.filter(made_after__isnull=False).values_list("topic", "made_after")
    return {topic: at for topic, at in rows if at is not None}
