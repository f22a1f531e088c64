"""Leases: which worker may write what, shared fairly, taken over when a worker falls silent.

A shard is a row with owner, epoch and an end of its lease by the database's clock. Taking a shard raises its
epoch; every transaction of its owner names the epoch it holds, so a worker that slept through the end of its lease
writes nothing when it wakes. A shard that its owner gives back is free at once.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from dashboard.clock import database_now
from dashboard.models import Shard, Worker

log = logging.getLogger(__name__)
SECOND: Final = 1_000_000
LEASE_SECONDS: Final = 10.0
FORGOTTEN: Final = 3600 * SECOND
# The sessions that have shards locked in a transaction longer than a lease lasts. Who renews in time has none, for
# leases are renewed by the thread that writes; the server would let others wait for a dead host for hours.
END_SLEEPERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
AND clock_timestamp() - xact_start > make_interval(secs => %s)
AND pid IN (SELECT pid FROM pg_locks WHERE relation = %s::regclass AND granted AND mode LIKE 'Row%%')
"""


class Leases:
    """The shards one worker holds in one role. `renew` it three times per lease, from one thread.

    `worker` names the process and must never be used twice. `role` keeps ingest, relay and others apart.
    """

    def __init__(self, worker: str, role: str, *, seconds: float = LEASE_SECONDS) -> None:
        self.worker = worker
        self.role = role
        self.seconds = seconds
        self.held: dict[str, int] = {}
        self.workers = 1
        self._started_at: int | None = None

    @property
    def every(self) -> float:
        """Seconds between renewals."""
        return self.seconds / 3

    def renew(self, shards: Sequence[str], figures: Mapping[str, Any] | None = None) -> dict[str, int]:
        """Say that we live, give back what is more than our share of `shards`, take what is free of it.

        Returns {shard: epoch} of all we hold from now on. What was held before and is missing must not be written
        any more; its owner may be another one already.
        """
        with transaction.atomic():
            now = database_now()
            until = now + int(self.seconds * SECOND)
            self._report(now, until, figures)
            Shard.objects.bulk_create([Shard(shard=name, role=self.role) for name in shards], ignore_conflicts=True)
            rows = Shard.objects.filter(role=self.role, shard__in=shards).order_by("shard")
            mine = list(rows.select_for_update().filter(owner=self.worker))
            share = math.ceil(len(shards) / self.workers)
            taken = self._free(rows, now)[: max(0, share - len(mine))]
            self._give_back(mine[share:])
            mine = mine[:share]
            names = [row.shard for row in (*mine, *taken)]
            Shard.objects.filter(shard__in=[row.shard for row in taken]).update(owner=self.worker, epoch=F("epoch") + 1)
            Shard.objects.filter(shard__in=names).update(lease_until=until)
            held = {row.shard: row.epoch for row in mine} | {row.shard: row.epoch + 1 for row in taken}
        self._tell(held)
        return held

    def release(self) -> None:
        """Give everything back and leave, so that others take over without waiting."""
        with transaction.atomic():
            self._give_back(Shard.objects.filter(role=self.role, owner=self.worker))
            Worker.objects.filter(worker_id=self.worker, role=self.role).delete()
        self.held = {}

    def _free(self, rows: QuerySet[Shard], now: int) -> list[Shard]:
        """The shards nobody owns, locked. One that another worker takes this moment is its own; one that is locked
        by a session of somebody who slept past the lease, or whose host is gone, is free at the next look."""
        found = rows.filter(Q(owner="") | Q(lease_until__lte=now)).exclude(owner=self.worker)
        free = list(found.select_for_update(skip_locked=True))
        if connection.vendor == "postgresql" and len(free) < found.count():
            with connection.cursor() as cursor:
                cursor.execute(END_SLEEPERS, [self.seconds, Shard._meta.db_table])
        return free

    def _report(self, now: int, until: int, figures: Mapping[str, Any] | None) -> None:
        if self._started_at is None:
            self._started_at = now
        Worker.objects.update_or_create(
            worker_id=self.worker,
            role=self.role,
            defaults={"started_at": self._started_at, "lease_until": until, "figures": dict(figures or {})},
        )
        Worker.objects.filter(lease_until__lt=now - FORGOTTEN).delete()
        self.workers = Worker.objects.filter(role=self.role, lease_until__gt=now).count()

    def _give_back(self, rows: Any) -> None:
        names = [row.shard for row in rows]
        if names:
            Shard.objects.filter(Q(shard__in=names), owner=self.worker).update(owner="", lease_until=0)

    def _tell(self, held: dict[str, int]) -> None:
        if held != self.held:
            gained = sorted(shard for shard, epoch in held.items() if self.held.get(shard) != epoch)
            lost = sorted(self.held.keys() - held.keys())
            log.info(
                "%s holds %d of its shards%s%s",
                self.role,
                len(held),
                f", took {' '.join(gained)}" if gained else "",
                f", gave up {' '.join(lost)}" if lost else "",
            )
        self.held = held
