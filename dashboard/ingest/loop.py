"""The ingest loop: leases, reading, writing, telling; whatever breaks is said once and tried again.

One thread per process. Memory never runs ahead of the tables: after any failure rows are forgotten and reading
goes on from the stored positions.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from django.db import Error, connection

from coordination.errors import CoordinationError, OffsetOutOfRange, UnknownTopic
from coordination.eventlog import EventLog
from coordination.manifest import Manifest
from dashboard.ingest.assignment import Assignment
from dashboard.ingest.figures import Figures
from dashboard.ingest.intake import Intake, microseconds
from dashboard.ingest.reading import LIVE, LogReader
from dashboard.ingest.sorting import Sorted
from dashboard.ingest.store import Conflict, Store
from dashboard.ingest.writing import Fenced
from dashboard.outages import Outage
from dashboard.shards import Leases

log = logging.getLogger(__name__)
GROUP: Final = "lineside.ingest"
SURVEY_EVERY: Final = 5.0
ENDS_EVERY: Final = 2.0
SKIP_EVERY: Final = 1.0
COMMIT_EVERY: Final = 5.0
TELL_EVERY: Final = 0.1


class Ingest:
    """Reads the log into the tables until it is told to stop.

    `open_log` is called inside the thread's event loop, `close_log` at the end, in the same loop. With `drain` it
    stops by itself once all shards have reached the ends of the log, whichever worker read them.
    """

    def __init__(
        self,
        open_log: Callable[[], EventLog],
        manifest: Manifest,
        store: Store,
        leases: Leases,
        *,
        drain: bool = False,
        close_log: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._open_log = open_log
        self._close_log = close_log
        self._store = store
        self._leases = leases
        self._drain = drain
        self._figures = Figures()
        self._assignment = Assignment(manifest, leases, store)
        self._intake = Intake(manifest, store, self._assignment, leases.worker, self._figures)
        self._due: dict[str, float] = {}
        self._prepared = False

    def run(self, stop: threading.Event) -> bool:
        """Work until `stop`, or until there is nothing left to read; True if then everything was read."""
        outage = Outage(log, "What ingest needs")
        with asyncio.Runner() as runner:
            reader = LogReader(runner)
            while not stop.is_set():
                try:
                    if self._step(reader):
                        break
                    outage.worked()
                except (CoordinationError, Error, OSError) as error:
                    self._begin_anew()
                    stop.wait(outage.failed(error))
                except Exception as error:
                    log.exception("Ingest met what nobody thought of, and begins anew")
                    self._begin_anew()
                    stop.wait(outage.failed(error))
            drained = not stop.is_set() and not self._assignment.has_gaps
            self._end(reader)
        return drained

    def _step(self, reader: LogReader) -> bool:
        """One turn; True once everything is read and we are to drain."""
        event_log = reader.call(self._open_log)
        self._keep_up(reader, event_log)
        if self._assignment.stale:
            self._intake.begin_anew()
            if not self._assignment.assign(reader, event_log):
                self._due["leases"] = 0.0
                return False
            self._intake.mend()
        try:
            batch = Sorted()
            count = reader.read(lambda records: self._intake.sort(records, batch))
            if count:
                self._intake.take(batch)
            elif self._is_due("skip", SKIP_EVERY):
                self._intake.skip(reader.positions())
        except (OffsetOutOfRange, UnknownTopic) as error:
            log.warning("Reading stopped: %s", error)
            self._due["survey"] = 0.0
            self._assignment.stale = True
            return False
        except Fenced as fenced:
            self._assignment.give_up(fenced)
            return False
        except Conflict as conflict:
            log.warning("Reading begins again from the stored positions: %s", conflict)
            self._assignment.stale = True
            return False
        # Behind, a page is told less often; live, at once.
        if self._intake.changes.waiting and self._is_due("tell", TELL_EVERY if count >= LIVE else 0.0):
            self._intake.changes.publish()
        return self._drain and not count and self._assignment.everything_read(reader, event_log)

    def _keep_up(self, reader: LogReader, event_log: EventLog) -> None:
        """What has to be done every few seconds."""
        if not self._prepared:
            self._intake.prepare()
            self._prepared = True
        if self._is_due("survey", SURVEY_EVERY) and self._assignment.look(reader, event_log):
            self._due["leases"] = 0.0
        if self._is_due("leases", self._leases.every):
            self._assignment.lease(self._figures.told())
        if self._is_due("ends", ENDS_EVERY):
            self._assignment.compare(reader, event_log, microseconds())
        if self._is_due("commit", COMMIT_EVERY) and self._assignment.positions:
            # For lag tools of others only; ours is in the tables.
            with suppress(CoordinationError):
                reader.run(event_log.set_commits(GROUP, dict(self._assignment.positions)))

    def _is_due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every
        return True

    def _begin_anew(self) -> None:
        self._assignment.stale = True
        self._prepared = False
        self._intake.begin_anew()
        with suppress(Error):
            connection.close()

    def _end(self, reader: LogReader) -> None:
        """Leave in order: others take over at once, and what is left of the log's client is closed."""
        close_log = self._close_log
        ends: list[Callable[[], None]] = [self._leases.release, reader.close]
        if close_log is not None:
            ends.append(lambda: reader.run(close_log()))
        for doing in (*ends, self._store.close, connection.close):
            try:
                doing()
            except Exception as error:
                log.warning("Ingest could not end in order: %s", error)
