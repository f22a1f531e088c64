"""The order of an examination: what everything else rests on comes first."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from dashboard.doctor import brokers, channels, database, exposure, installation, traffic
from dashboard.doctor.finding import FAULT, Finding, fault
from dashboard.eventlog import close_eventlog, open_eventlog

Examination = Callable[[], Iterator[Finding]]
ALONE: Final[tuple[Examination, ...]] = (
    installation.configuration,
    exposure.exposure,
    exposure.lines,
    exposure.decision_key,
    installation.state_folder,
    channels.round_trip,
)
OF_TABLES: Final[tuple[Examination, ...]] = (
    database.rights,
    database.clock,
    exposure.tokens,
    exposure.hooks,
    traffic.workers,
    traffic.gaps,
    traffic.behind,
    traffic.unsent,
    traffic.log_clock,
    traffic.retention,
)


def examine() -> Iterator[Finding]:
    """Everything, one finding after the other. An examination that fails itself is a finding, never an error."""
    for examination in ALONE:
        yield from _guarded(examination)
    sound = True
    for examination in (database.reach, database.tables):
        if sound:
            for finding in _guarded(examination):
                sound &= finding.state != FAULT
                yield finding
    if sound:
        for examination in OF_TABLES:
            yield from _guarded(examination)
    yield from _guarded(the_log)


def the_log() -> Iterator[Finding]:
    """What `brokers` finds."""
    yield from asyncio.run(_the_log())


async def _the_log() -> list[Finding]:
    try:
        return [finding async for finding in brokers.log_findings(open_eventlog())]
    finally:
        await close_eventlog()


def _guarded(examination: Examination) -> Iterator[Finding]:
    try:
        yield from examination()
    except Exception as error:  # one part that breaks in a way nobody thought of must not hide the others
        name = examination.__name__.replace("_", " ")
        yield fault(name, f"it could not be examined: {type(error).__name__}: {error}", "See what the error says.")
