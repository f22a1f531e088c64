"""The log: reach, topics, rights, clock."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from coordination.errors import CoordinationError, LogDenied
from coordination.eventlog import EventLog, TopicInfo, TopicPartition
from coordination.topicplan import DIFFERS, MISSING, UNREADABLE, Plan
from dashboard.declared import compared
from dashboard.doctor.finding import Finding, doubt, fault, fine
from dashboard.manifest import manifest

LOG: Final = "log"
TOPICS: Final = "topics"
RIGHTS: Final = "rights"
NOT_READ: Final = "run.state."
# What only we write, whatever agents may do.
WRITTEN: Final = ("run.decision.commands", "review.approval.events")
COPIES: Final = 2


@runtime_checkable
class Guarded(Protocol):
    """A log that tells what its user may do with topics."""

    async def rights(self, names: Sequence[str]) -> dict[str, frozenset[str]]:
        """Topic -> rights, of those topics it tells about."""
        ...


async def log_findings(log: EventLog) -> AsyncIterator[Finding]:
    """All findings about the log; the later ones need the earlier ones to be right."""
    began = time.perf_counter()
    try:
        found = await log.topics()
    except CoordinationError as error:
        remedy = "Start it, or correct LINESIDE_LOG; until then pages show the last that was read."
        yield fault(LOG, str(error), remedy)
        return
    yield fine(LOG, f"{log.kind} answers in {(time.perf_counter() - began) * 1000:.0f} ms, {len(found)} topics")
    for finding in topic_findings(compared(found), found, log.kind):
        yield finding
    there = [name for name in manifest().topics if name in found]
    if there:
        for examined in (_reading(log, there, found), _groups(log), _told(log, there), _transactions(log)):
            async for finding in examined:
                yield finding


def topic_findings(plan: Plan, found: Mapping[str, TopicInfo], kind: str) -> list[Finding]:
    """What a plan says, in findings: what is missing breaks, what differs may."""
    remedy = "`manage.py topics` shows it, `manage.py topics --apply` sets right what is safe."
    findings = []
    missing, differing = plan.in_state(MISSING), plan.in_state(DIFFERS)
    if missing:
        names = ", ".join(one.name for one in missing[:4])
        findings.append(fault(TOPICS, f"{len(missing)} are missing: {names}{' …' * (len(missing) > 4)}", remedy))
    findings += [doubt(TOPICS, f"{one.name}: {one.differences[0].words}", remedy) for one in differing]
    unreadable = plan.in_state(UNREADABLE)
    if unreadable:
        words = f"the settings of {len(unreadable)} cannot be read"
        findings.append(doubt(TOPICS, words, "Give this user DescribeConfigs on topics."))
    single = [name for name, info in found.items() if manifest().declared(name) and info.replication < COPIES]
    if kind == "kafka" and single:
        words = f"{len(single)} keep one copy only: the loss of one broker loses their records"
        findings.append(doubt(TOPICS, words, "In production make them by `manage.py topics --apply --replication 3`."))
    return findings or [fine(TOPICS, "as declared")]


async def _reading(log: EventLog, names: Sequence[str], found: Mapping[str, TopicInfo]) -> AsyncIterator[Finding]:
    read = [name for name in names if not (manifest().family_of(name) or "").startswith(NOT_READ)]
    partitions = [TopicPartition(name, number) for name in read for number in range(found[name].partitions)]
    try:
        ends = await log.ends(partitions)
        reader = await log.reader({partition: end.stable for partition, end in ends.items()})
        try:
            await reader.read(1, 0.1)
        finally:
            await reader.close()
    except CoordinationError as error:
        yield fault(RIGHTS, f"the topics cannot be read: {error}", "Give this user Read and Describe on them.")
        return
    yield fine(RIGHTS, f"{len(read)} topics can be read")


async def _groups(log: EventLog) -> AsyncIterator[Finding]:
    try:
        await log.groups()
        await log.commits("lineside.ingest")
    except LogDenied as error:
        yield doubt(RIGHTS, f"lag will be unknown: {error}", "Give this user Describe on groups.")
    except CoordinationError as error:
        yield doubt(RIGHTS, f"lag cannot be asked for: {error}", "Ask again; the log may have been busy.")
    else:
        yield fine(RIGHTS, "consumer groups can be read")


async def _told(log: EventLog, names: Sequence[str]) -> AsyncIterator[Finding]:
    """What the log says by itself: nothing is written to find out."""
    if not isinstance(log, Guarded):
        return
    try:
        told = await log.rights(names)
    except CoordinationError as error:
        yield doubt(RIGHTS, f"the log does not tell them: {error}", "Try again.")
        return
    ours = [manifest().topic_named(family) for family in WRITTEN]
    denied = [name for name in ours if name in told and "write" not in told[name]]
    if denied:
        remedy = "Give this user Write on them, else no decision leaves the outbox."
        yield fault(RIGHTS, f"{', '.join(denied)} cannot be written", remedy)
    elif told:
        yield fine(RIGHTS, "decisions can be written")


async def _transactions(log: EventLog) -> AsyncIterator[Finding]:
    """A transactional id of our own kind, but not one that a relay uses: opening that would fence the relay."""
    if not log.transactional:
        yield doubt(RIGHTS, "this log knows no transactions", "Decisions are sent at least once; agents drop doubles.")
        return
    try:
        transaction = await log.transaction(f"{manifest().namespace}-decisions-doctor")
        await transaction.close()
    except CoordinationError as error:
        remedy = f"Give this user Write on transactional ids that begin with {manifest().namespace}-decisions-."
        yield doubt(RIGHTS, f"decisions would be sent at least once, not once: {error}", remedy)
    else:
        yield fine(RIGHTS, "transactions can be opened")
