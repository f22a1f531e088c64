"""What to do with a record that was polled: whether it concerns this group, and who takes it.

Commands of other groups are passed over by their header alone. What is addressed to this group and cannot be read,
or asks for something nobody here understands, becomes a dead letter with words; nothing makes the loop stop, or
turn for ever. A record that names no addressee at all is nobody's to act upon: whoever projects the topic keeps it
as rejected.
"""

import logging
from typing import Final

from coordination.agent import transitions
from coordination.agent.cancellation import Cancellation
from coordination.agent.compensation import Compensation
from coordination.agent.deadletter import Reason, Stage
from coordination.agent.decisions import Decisions
from coordination.agent.desk import Desk
from coordination.agent.instance import Instance
from coordination.agent.requested import Requested
from coordination.agent.work import new_memory
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import Record, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
CONTROL: Final = frozenset(
    f"coordination.{name}".encode() for name in ("task.cancel.requested", "task.compensation.requested")
)
"""Commands that stand on the topic of new work, but must not wait behind it."""
STAGES: Final[dict[str, Stage]] = {"data": "data", "size": "size"}


class Intake:
    """Takes records of one instance."""

    def __init__(self, instance: Instance, desk: Desk) -> None:
        self._instance, self._desk = instance, desk
        self._requested = Requested(instance, desk)
        self._decisions = Decisions(instance, desk)
        self._cancellation = Cancellation(instance, desk)
        self._compensation = Compensation(instance, desk)
        manifest = instance.manifest
        self._commands = {manifest.topic_named("run.task.commands"), manifest.topic_named("run.decision.commands")}
        self._group = instance.group.encode()
        self._facts = frozenset(f"coordination.{name}".encode() for name in instance.spec.facts)

    def concerns(self, record: Record) -> bool:
        """Whether this group has to do with the record, by its headers alone."""
        if record.topic in self._commands:
            return any(name == "ce_targetgroup" and value == self._group for name, value in record.headers)
        return any(name == "ce_type" and value in self._facts for name, value in record.headers)

    def controls(self, record: Record) -> bool:
        """Whether it is a command for this group that must not wait behind new work."""
        return self.concerns(record) and any(name == "ce_type" and value in CONTROL for name, value in record.headers)

    async def take(self, record: Record) -> bool:
        """Act on a record that concerns this group. Returns whether its offset is done with."""
        try:
            event = self._instance.decoder.decode(record)
        except MalformedRecord as error:
            stage = STAGES.get(error.stage, "envelope")
            await self.give_up(record, Reason(stage=stage, code=error.code, message=str(error)))
            return True
        if record.topic not in self._commands:
            return self._fact(event, record)
        return await self._command(event, record)

    async def give_up(self, record: Record, reason: Reason) -> None:
        """Make a record a dead letter."""
        logger.warning("Dead letter %s-%s@%s: %s", record.topic, record.partition, record.offset, reason.message)
        records = transitions.dead_lettered(self._instance, record, reason)
        await self._instance.write(TopicPartition(record.topic, record.partition), records)

    async def _command(self, event: Event, record: Record) -> bool:
        match event.name:
            case "task.requested":
                return await self._requested.take(event, record)
            case "task.compensation.requested":
                return await self._compensation.take(event, record)
            case "task.cancel.requested":
                await self._cancellation.take(event)
            case "task.resume.requested":
                await self._decisions.resume(event, record)
            case "decision.revoke.requested":
                await self._decisions.revoke(event, record)
            case _:
                message = f"{event.type} is no command an agent understands."
                await self.give_up(record, Reason(stage="routing", code="unknown_type", message=message))
        return True

    def _fact(self, event: Event, record: Record) -> bool:
        handler = self._instance.spec.facts.get(event.name)
        if handler is None or not handler.when(event):
            return True
        key = f"{event.source}#{event.id}"
        known = self._instance.ledger.shelf(event.partition).get("fact", key)
        # A failure is not marked as handled: the same fact at a later offset was put back from a dead letter.
        if known is not None and not (known.status == "failed" and event.offset > known.offset):
            self._instance.counters.duplicates += 1
            return True
        memory = new_memory("fact", key, event, record, self._instance.group)
        self._desk.take_in(self._desk.open(memory, event))
        return False
