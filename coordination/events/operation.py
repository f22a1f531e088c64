"""Data of operational intents and facts: dead letters, redrive, replay, lag."""

import msgspec

from coordination.events.shapes import Count, Data, Digest, Identifier, Ordinal, Place


class RecordRedriveRequested(Data, frozen=True, gc=False, kw_only=True):
    """Put these dead letters back. `dry_run`: only say what would happen."""

    places: tuple[Place, ...]
    group: str = ""
    reason: str = ""
    dry_run: bool = False


class RecordDeadlettered(Data, frozen=True, gc=False, kw_only=True):
    """A record could not be handled: pointers only, the record itself is on the dead letter topic."""

    topic: str
    partition: Count
    offset: Count
    group: str = ""
    stage: str = ""
    code: str = ""
    message: str = ""
    retryable: bool = False
    delivery_count: Count | None = None
    dead_letter: Place | None = None
    event_id: str = ""
    event_source: str = ""
    event_type: str = ""
    task_id: str = ""


class RecordRedriven(Data, frozen=True, gc=False, kw_only=True):
    """A dead letter was put back: from `dead_letter` to its topic again, for the nth time."""

    dead_letter: Place
    group: str = ""
    redriven: Place | None = None
    redrive_count: Ordinal = 1
    reason: str = ""


class RecordDiscarded(Data, frozen=True, gc=False, kw_only=True):
    """A dead letter was given up."""

    dead_letter: Place
    group: str = ""
    reason: str = ""


class ReplayRequested(Data, frozen=True, gc=False, kw_only=True):
    """Read a run again; `to` is {topic: {partition: next offset}}, empty for all of it."""

    replay_id: Identifier
    run_id: str = ""
    to: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    reason: str = ""


class ReplayStarted(Data, frozen=True, gc=False, kw_only=True):
    """A replay reads under its own group `replay.<id>`."""

    replay_id: Identifier
    run_id: str = ""


class ReplayCompleted(Data, frozen=True, gc=False, kw_only=True):
    """A replay is through; `equal`: its rows were those of the live projection."""

    replay_id: Identifier
    run_id: str = ""
    records: Count = 0
    equal: bool | None = None


class LagExceeded(Data, frozen=True, gc=False, kw_only=True):
    """A group is behind: `waiting` tasks, the oldest of them for `age_ms`. One per incident."""

    group: Identifier
    topic: str = ""
    partition: Count | None = None
    incident_id: str = ""
    waiting: Count | None = None
    age_ms: Count | None = None
    limit_ms: Count | None = None
    cause: str = ""


class LagRecovered(Data, frozen=True, gc=False, kw_only=True):
    """The group has caught up; `lasted_ms` is how long the incident was."""

    group: Identifier
    topic: str = ""
    incident_id: str = ""
    waiting: Count | None = None
    age_ms: Count | None = None
    lasted_ms: Count | None = None


class ConsumerStalled(Data, frozen=True, gc=False, kw_only=True):
    """A group does not move; `facts` are the observations the verdict rests on."""

    group: Identifier
    verdict: str = ""
    facts: tuple[str, ...] = ()
    incident_id: str = ""
    waiting: Count | None = None
    age_ms: Count | None = None


class AuditAnchored(Data, frozen=True, gc=False, kw_only=True):
    """The audit trail had `number` entries, the last of them with this digest: nobody can write it anew unnoticed."""

    number: Ordinal
    digest: Digest
    at: str = ""
