"""Which shards this worker reads, kept up to date: topics come and go, leases are won and lost, gaps open and close."""

import logging
from collections.abc import Iterable, Mapping

from coordination.eventlog import EventLog, TopicPartition
from coordination.manifest import Manifest
from coordination.rows import Layout
from dashboard.ingest.positions import all_read, note_ends, positions, stored_heads
from dashboard.ingest.reading import LogReader
from dashboard.ingest.store import Store
from dashboard.ingest.survey import Survey, survey
from dashboard.ingest.writing import Fenced
from dashboard.models import Gap
from dashboard.shards import Leases

log = logging.getLogger(__name__)


class Assignment:
    """The shards we hold and the positions of their partitions. `stale`: ask the tables before reading on."""

    def __init__(self, manifest: Manifest, leases: Leases, store: Store) -> None:
        self._manifest = manifest
        self._leases = leases
        self._store = store
        self._survey: Survey | None = None
        self._gaps: dict[int, str] = {}
        self.layout = Layout(manifest.family_of)
        self.positions: dict[TopicPartition, int] = {}
        self.heads: dict[TopicPartition, str] = {}
        self.stale = True

    @property
    def owned(self) -> frozenset[str] | None:
        """Our shards where other workers have some too; None if all are ours."""
        held = self._leases.held
        everything = self._survey is not None and len(held) == len(self._survey.shards)
        return None if everything and self._leases.workers == 1 else frozenset(held)

    def look(self, reader: LogReader, event_log: EventLog) -> bool:
        """Look at log and gaps; True if there is something else to read than before."""
        seen = reader.run(survey(event_log, self._manifest))
        gaps = dict(Gap.objects.filter(accepted_at=None).values_list("pk", "shard"))
        changed = not seen.same_as(self._survey) or gaps != self._gaps
        self._gaps = gaps
        if changed:
            self._survey, self.layout = seen, seen.layout
            self.stale = True
        return changed

    def lease(self, figures: Mapping[str, float]) -> None:
        """Renew our leases, give some back or take some."""
        if self._survey is not None:
            before = self._leases.held
            self.stale |= self._leases.renew(self._survey.shards, figures) != before

    def give_up(self, fenced: Fenced) -> None:
        """Others have these shards now."""
        log.warning("%s", fenced)
        for shard in fenced.shards:
            self._leases.held.pop(shard, None)
        self.stale = True

    def assign(self, reader: LogReader, event_log: EventLog) -> bool:
        """Read on from the stored positions; False if that must be tried again."""
        if self._survey is None:
            return False
        held = dict(self._leases.held)
        ends = reader.run(event_log.ends(self._survey.partitions(held)))
        try:
            self.positions = positions(self._survey, ends, held, self._store)
        except Fenced as fenced:
            self.give_up(fenced)
            return False
        self.heads = stored_heads(self.positions)
        reader.open(event_log, self.positions)
        self.stale = False
        return True

    def leases_of(self, partitions: Iterable[TopicPartition]) -> dict[str, int]:
        """The shards of these partitions with the epochs we hold them under; -1 for one we do not hold."""
        held = self._leases.held
        return {shard: held.get(shard, -1) for shard in {self.layout.shard(*one) for one in partitions}}

    def compare(self, reader: LogReader, event_log: EventLog, now: int) -> None:
        """Note the log's ends, so that the tables say how far behind they are."""
        if self.positions:
            note_ends(reader.run(event_log.ends(list(self.positions))), now)

    @property
    def has_gaps(self) -> bool:
        """Whether a shard, of ours or of another worker, stands still because of a gap."""
        return Gap.objects.filter(accepted_at=None).exists()

    def everything_read(self, reader: LogReader, event_log: EventLog) -> bool:
        """Whether all shards, ours and those of others, have reached the log's ends; those with a gap aside."""
        if self._survey is None or self.stale:
            return False
        stopped = set(Gap.objects.filter(accepted_at=None).values_list("shard", flat=True))
        going = [shard for shard in self._survey.shards if shard not in stopped]
        return all_read(reader.run(event_log.ends(self._survey.partitions(going))))
