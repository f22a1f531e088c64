"""One membership of a consumer group, from joining to leaving: poll, take records in, keep the balance, commit."""

import asyncio
import logging
from collections import deque
from typing import Final

from coordination.agent import upkeep
from coordination.agent.assignment import Assignment
from coordination.agent.deadletter import Reason
from coordination.agent.desk import Desk
from coordination.agent.instance import Instance
from coordination.agent.intake import Intake
from coordination.agent.lookahead import Lookahead
from coordination.agent.watch import Watch
from coordination.agent.writer import Writer
from coordination.errors import LogUnreachable, MemberFenced
from coordination.eventlog import Membership, Record, TopicPartition

logger: Final = logging.getLogger("coordination.agent")
POLL: Final = 0.25
POLL_FULL: Final = 0.05
MAX_POLL: Final = 200
COMMIT_EVERY: Final = 0.5
FORGET_EVERY: Final = 60.0
AGAIN_AFTER: Final = 0.5
DRAIN: Final = 5.0


class Term:
    """Serves one membership of an instance."""

    def __init__(self, instance: Instance, member: Membership) -> None:
        self._instance, self._member = instance, member
        events = instance.manifest.topic_named("run.task.events")
        self._watch = Watch(instance.log, events, instance.decoder)
        self._desk = Desk(instance, self._watch)
        self._intake = Intake(instance, self._desk)
        self._assignment = Assignment(instance, member, self._desk, self._let_in)
        self._writer = Writer(member, self._assignment.offsets, self._fenced)
        self._lookahead = Lookahead(instance.log, self._intake.controls, self._take_ahead)
        self._taking: set[asyncio.Task[None]] = set()
        self._backlog: deque[Record] = deque()
        self._desk.slots.freed = self._drain
        self._paused: frozenset[TopicPartition] = frozenset()
        self._over = False

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set or the membership ends. Raises LogDenied, UnknownTopic."""
        self._instance.writer = self._writer
        loops = (self._writer.run(), self._watch.run(self._desk.ended), self._housekeeping())
        background = [asyncio.create_task(loop) for loop in loops]
        try:
            while not stop.is_set() and not self._over:
                await self._turn()
                for task in background:
                    if task.done():
                        task.result()
            if not self._over:
                await self._leave()
        finally:
            self._assignment.drop_all()
            await self._end([*background, *self._taking])

    async def _turn(self) -> None:
        try:
            records = await self._member.poll(MAX_POLL, POLL_FULL if self._paused else POLL)
        except LogUnreachable as error:
            logger.warning("Cannot read, trying again: %s", error)
            await asyncio.sleep(AGAIN_AFTER)
            return
        except MemberFenced as error:
            logger.warning("Joining again: %s", error)
            self._over = True
            return
        self._assignment.follow()
        for record in records:
            self._assignment.receive(record)
        self._balance()

    def _let_in(self, record: Record) -> None:
        partition = TopicPartition(record.topic, record.partition)
        offsets = self._assignment.offsets[partition]
        offsets.receive(record.offset)
        if not self._intake.concerns(record):
            offsets.finish(record.offset)
        elif record.topic in self._instance.urgent_topics or self._intake.controls(record):
            self._spawn(record)
        else:
            self._backlog.append(record)

    def _drain(self) -> None:
        """Take new work in as long as not too much of it waits for a slot."""
        while self._backlog and len(self._desk.slots) + len(self._taking) < self._instance.spec.prefetch:
            record = self._backlog.popleft()
            if TopicPartition(record.topic, record.partition) in self._assignment.offsets:
                self._spawn(record)

    def _spawn(self, record: Record) -> None:
        task = asyncio.create_task(self._take(record))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _take(self, record: Record) -> None:
        partition = TopicPartition(record.topic, record.partition)
        offsets = self._assignment.offsets.get(partition)
        try:
            done = await self._intake.take(record)
        except MemberFenced as error:
            logger.info("Not taken: %s", error)
            return
        except Exception as error:
            logger.exception("The runtime failed at %s-%s@%s", *partition, record.offset)
            done = await self._give_up(record, error)
        if done and offsets is not None:
            offsets.finish(record.offset)

    async def _give_up(self, record: Record, error: Exception) -> bool:
        reason = Reason(stage="handler", code="runtime_failed", message=str(error), exception=type(error).__name__)
        try:
            await self._intake.give_up(record, reason)
        except MemberFenced:
            return False
        return True

    async def _take_ahead(self, record: Record) -> None:
        partition = TopicPartition(record.topic, record.partition)
        if partition in self._assignment.offsets:
            await self._take(record)

    def _balance(self) -> None:
        """Hold new work back while some of it waits to be taken in."""
        self._drain()
        urgent = self._instance.urgent_topics
        held = {p for p in self._assignment.offsets if p.topic not in urgent} if self._backlog else ()
        self._hold(frozenset(held))

    def _hold(self, held: frozenset[TopicPartition]) -> None:
        if held == self._paused:
            return
        self._member.resume(list(self._paused - held))
        self._member.pause(list(held - self._paused))
        self._paused = held
        commands = self._instance.manifest.topic_named("run.task.commands")
        if held:
            self._lookahead.begin({p: self._assignment.offsets[p].next for p in held if p.topic == commands})
        else:
            self._lookahead.end()

    async def _housekeeping(self) -> None:
        forget_at = asyncio.get_running_loop().time() + FORGET_EVERY
        while True:
            await asyncio.sleep(COMMIT_EVERY)
            self._writer.commit_positions()
            if asyncio.get_running_loop().time() >= forget_at:
                await upkeep.forget(self._instance)
                forget_at += FORGET_EVERY

    def _fenced(self, partition: TopicPartition) -> None:
        """Refused for a partition we believe to be ours: the membership itself is over."""
        if partition in self._member.assignment() and partition in self._assignment.offsets:
            logger.warning("Refused as a writer for %s-%s; joining again.", *partition)
            self._over = True

    async def _leave(self) -> None:
        await self._desk.release(self._instance.spec.grace)
        if self._taking:
            await asyncio.wait(self._taking, timeout=1.0)
        self._writer.commit_positions()
        try:
            async with asyncio.timeout(DRAIN):
                await self._writer.drained()
        except TimeoutError:
            logger.warning("Left with unwritten facts; they will be done again.")

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        self._lookahead.end()
        await self._assignment.close()
        await self._desk.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._instance.writer = None
        self._writer.close()
        await self._watch.close()
        await self._member.close()
