"""Dead letters as agents write them and ingest keeps them, for the tests of redrive."""

from coordination.agent.deadletter import Reason, dead_letter
from coordination.envelope import Decoder, new_event
from coordination.eventlog import APPEND_TIME, NewRecord, StoredRecord
from coordination.manifest import Manifest
from dashboard.ingest.letters import letter_fields
from dashboard.models import DeadLetter

AT = 1_790_000_000_000_000
COMMANDS = "coord.run.task.commands"


def command(task: str, *, expiry_at: int | None = None) -> NewRecord:
    """What somebody asked of the payers."""
    return new_event(
        "task.requested",
        source="/coord/agents/planner-1/x",
        time=AT,
        id=f"event-{task}",
        run_id="run-1",
        task_id=task,
        target_group="payer",
        expiry_at=expiry_at,
        data={"task_type": "pay"},
    )


def given_up(record: NewRecord, number: int, message: str = "410 gone", **origin: int) -> StoredRecord:
    """The dead letter number so and so of a record."""
    place = {"partition": 3, "offset": number} | origin
    where = (record.topic, place["partition"], place["offset"], AT // 1000, APPEND_TIME)
    failed = StoredRecord(*where, record.key, record.value, record.headers)
    reason = Reason(stage="handler", code="handler_failed", message=message, exception="HTTPError", deliveries=5)
    made = dead_letter(failed, reason, group="agent.payer", at=AT, manifest=Manifest())
    return StoredRecord(made.topic, 0, number, AT // 1000, APPEND_TIME, made.key, made.value, made.headers)


def keep(record: StoredRecord) -> DeadLetter:
    """Keep a dead letter as ingest does."""
    return DeadLetter.objects.create(**letter_fields(record, Decoder()))


def letter(task: str = "task-1", number: int = 1, **given: int) -> DeadLetter:
    """A command that the payers gave up."""
    return keep(given_up(command(task), number, **given))
