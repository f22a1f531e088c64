"""`manage.py import_run FILE…`: append recorded runs to the log, at once or in the rhythm they were recorded in."""

import asyncio
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog, NewRecord
from coordination.importers import FORMATS, BadRecording, Recording, read
from coordination.importers.recording import time_of
from coordination.instants import MICROSECONDS
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.manifest import manifest

BATCH: Final = 500
# On a log of this machine nobody else creates the topics before the first worker has run.
LOCAL: Final = frozenset({"sqlite", "memory"})


class Command(BaseCommand):
    """Prints the run ids, one a line; what was in the files goes to the error output."""

    help = "Append recorded runs to the log, one after the other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="+", help="a recording")
        parser.add_argument("--format", choices=sorted(FORMATS), default="", help="guessed from the file if not given")
        parser.add_argument("--speed", type=_speed, default=0.0, help="0: at once; 1: in real time; 10: ten times that")
        parser.add_argument("--run-id", default="", help="import as this run instead of the recording's own")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read all files first, so that a bad one leaves nothing on the log."""
        if options["run_id"] and len(options["file"]) > 1:
            raise CommandError("--run-id names one run: give one file with it.")
        try:
            recordings = [_read(path, options["format"], options["run_id"]) for path in options["file"]]
            for recording in recordings:
                written = asyncio.run(_append(recording.records, options["speed"]))
                self.stderr.write(_told(recording, written))
                self.stdout.write(recording.run_id)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}") from error
        except CoordinationError as error:
            raise CommandError(str(error)) from error


def _read(path: Path, form: str, run_id: str) -> Recording:
    tenant = settings.LINESIDE_TENANT
    try:
        return read(path.read_bytes(), form=form, run_id=run_id, manifest=manifest(), tenant=tenant)
    except BadRecording as error:
        raise CommandError(f"{path}: {error}") from error


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed < float("inf"):
        raise ValueError(text)
    return speed


async def _append(records: Iterable[NewRecord], speed: float) -> int:
    """Append all records; returns how many."""
    log = open_eventlog()
    try:
        if log.kind in LOCAL:
            await log.create_topics(manifest().specs())
        return await _in_rhythm(log, records, speed)
    finally:
        await close_eventlog()


async def _in_rhythm(log: EventLog, records: Iterable[NewRecord], speed: float) -> int:
    written = 0
    async for batch in _batches(records, speed):
        await log.append(batch)
        written += len(batch)
    return written


async def _batches(records: Iterable[NewRecord], speed: float) -> AsyncIterator[list[NewRecord]]:
    """Batches of records, each when its first is due; those due at the same moment go together."""
    batch: list[NewRecord] = []
    loop = asyncio.get_running_loop()
    began, first = loop.time(), 0
    for record in records:
        if speed:
            first = first or time_of(record)
            wait = began + (time_of(record) - first) / MICROSECONDS / speed - loop.time()
            if wait > 0:
                if batch:
                    yield batch
                    batch = []
                await asyncio.sleep(wait)
        batch.append(record)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _told(recording: Recording, written: int) -> str:
    unknown: Mapping[str, int] = recording.unknown
    words = f"{recording.origin}: {recording.events} entries, {written} events"
    if not unknown:
        return words
    names = ", ".join(f"{name} ({count})" for name, count in sorted(unknown.items()))
    return f"{words}, {sum(unknown.values())} of an unknown type: {names}"
