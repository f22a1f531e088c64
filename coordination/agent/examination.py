"""How a runtime under examination is observed: through the log alone, so that it may be written in any language."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from coordination.agent.client import Client
from coordination.agent.voice import Identity, Voice, system_clock
from coordination.approvals import content_hash, with_args
from coordination.canonical import canonical
from coordination.envelope import Decoder
from coordination.errors import MalformedRecord
from coordination.event import Event
from coordination.eventlog import EventLog, Reader, TopicPartition
from coordination.manifest import TOPICS, Manifest
from coordination.signing import SigningKey

ACTION: Final = "conformance.act"
TASK_TYPE: Final = "conformance.ask"
READ: Final = ("run.task.commands", "run.task.events", "run.tool.events", "review.approval.commands")


class Failed(AssertionError):
    """The runtime did not keep a rule; the message says what was seen."""


class Examination:
    """Puts questions to one agent group on a log, and sees what it answers.

    `patience` is how many seconds an answer may take, `quiet` how long nothing must happen before it counts as
    nothing.
    """

    def __init__(
        self, log: EventLog, key: SigningKey, group: str, *, patience: float = 15.0, quiet: float = 0.5
    ) -> None:
        self.log, self.key, self.group = log, key, group
        self.patience, self.quiet = patience, quiet
        self.events: list[Event] = []
        self._manifest = Manifest()
        self._decoder = Decoder(self._manifest)
        self._client = Client(log, "examiner")
        self._voice = Voice(Identity("examiner", "examiner", uuid4().hex[:8]), self._manifest, system_clock)
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Begin to observe at the log's present end."""
        topics = {self._manifest.topic_named(family): TOPICS[family].partitions for family in READ}
        partitions = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        ends = await self.log.ends(partitions)
        self._reader = await self.log.reader({partition: end.high for partition, end in ends.items()})

    async def close(self) -> None:
        """Observe no more."""
        if self._reader is not None:
            await self._reader.close()

    async def ask(self, args: Mapping[str, Any] | None = None, task_id: str = "") -> Event:
        """Request a task that needs approval; returns its `approval.requested`."""
        task_id = await self.request(args, task_id)
        return await self.see("approval.requested", task_id)

    async def request(self, args: Mapping[str, Any] | None = None, task_id: str = "") -> str:
        """Request a task that needs approval; returns its id."""
        task_id = task_id or f"ask-{uuid4().hex[:16]}"
        given = dict(args or {"amount": "12.50"})
        return await self._client.request(f"run-{task_id}", TASK_TYPE, self.group, task_id=task_id, input=given)

    def decision(self, request: Event, decision: str = "approve", **changes: Any) -> dict[str, Any]:
        """A decision that fits a request, but for `changes`; signed."""
        data = request.data
        document = {
            "decision_id": f"decision-{uuid4()}",
            "approval_id": data.approval_id,
            "request_version": data.request_version,
            "content_hash": data.content_hash,
            "fence": data.fence if data.fence is not None else request.attempt,
            "decision": decision,
            "valid_until": "2099-01-01T00:00:00Z",
        }
        return self.key.sign(document | changes)

    def edit(self, request: Event, args: Any) -> dict[str, Any]:
        """A decision that replaces the arguments."""
        action = {"name": ACTION, "args": request.data.action.args, "args_schema": request.data.action.args_schema}
        return self.decision(request, "edit", args=args, content_hash=content_hash(with_args(action, args)))

    async def send(self, request: Event, *documents: Mapping[str, Any]) -> None:
        """Deliver decisions to the task that asked."""
        said = [self._said("task.resume.requested", request, document) for document in documents]
        await self.log.append(said)

    async def send_twice(self, request: Event, document: Mapping[str, Any]) -> None:
        """Deliver the very same event twice, as a relay without transactions may."""
        record = self._said("task.resume.requested", request, document)
        await self.log.append([record, record])

    async def revoke(self, request: Event, decision_id: str) -> None:
        """Ask for a decision not to be applied."""
        document = {
            "approval_id": request.data.approval_id,
            "request_version": request.data.request_version,
            "decision_id": decision_id,
        }
        await self.log.append([self._said("decision.revoke.requested", request, self.key.sign(document))])

    async def see(self, name: str, task_id: str, when: Callable[[Event], bool] = lambda event: True) -> Event:
        """Wait for an event of a task. Raises Failed when it does not come in time."""
        try:
            async with asyncio.timeout(self.patience):
                while True:
                    for event in self.of(task_id, name):
                        if when(event):
                            return event
                    await self._observe(0.2)
        except TimeoutError:
            seen = [event.name for event in self.events if event.task_id == task_id]
            raise Failed(
                f"No {name} in {self.patience:g} s; seen of the task: {', '.join(seen) or 'nothing'}."
            ) from None

    async def refusal(self, request: Event, document: Mapping[str, Any]) -> str:
        """Deliver a decision that must be refused; returns the reason given."""
        await self.send(request, document)
        decision_id = str(document.get("decision_id", ""))
        refused = await self.see("decision.refused", request.task_id, lambda e: e.data.decision_id == decision_id)
        return str(refused.data.reason)

    async def settle(self) -> None:
        """Observe until nothing has happened for a while."""
        while await self._observe(self.quiet):
            pass

    def of(self, task_id: str, name: str) -> list[Event]:
        """The events of one type seen of a task."""
        return [event for event in self.events if event.task_id == task_id and event.name == name]

    def executed(self, task_id: str) -> list[Any]:
        """What the task reported to have executed, per completed call of the tool with effects."""
        calls = [event for event in self.of(task_id, "tool.call.completed") if event.data.tool_name == ACTION]
        return [event.data.result for event in calls]

    def same(self, one: Any, other: Any) -> bool:
        """Whether two JSON values are one."""
        return canonical(one) == canonical(other)

    def _said(self, name: str, request: Event, document: Mapping[str, Any]) -> Any:
        said = self._voice.say(
            name,
            run_id=request.run_id,
            task_id=request.task_id,
            target_group=self.group,
            causation=request.id,
            data=dict(document),
        )
        return said.record

    async def _observe(self, timeout: float) -> int:
        assert self._reader is not None
        records = await self._reader.read(500, timeout)
        for record in records:
            try:
                self.events.append(self._decoder.decode(record))
            except MalformedRecord:
                continue
        return len(records)
