"""The pen: for the moment of the swap no worker may write rows that are about to be replaced.

All shards of ingest are leased to the rebuild, which raises their epochs: what a worker has under way fails as
fenced, and its rows in memory are forgotten. Given back, the shards are free at once. A rebuild that dies holds
them no longer than its lease.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from dashboard.clock import database_now
from dashboard.models import Shard
from dashboard.rebuild.stored import newest_batch

SECOND: Final = 1_000_000
LEASE_SECONDS: Final = 60
INGEST: Final = "ingest"


class PenLost(Exception):
    """Somebody else may have written since the shards were taken; nothing was swapped."""


class Pen:
    """The shards of ingest, all at once. `owner` is a name that nobody else has."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    def take(self) -> int:
        """Take all shards from their owners; returns the newest batch that they wrote."""
        with transaction.atomic():
            until = database_now() + LEASE_SECONDS * SECOND
            shards = Shard.objects.select_for_update().filter(role=INGEST).order_by("shard")
            names = [row.shard for row in shards]
            Shard.objects.filter(shard__in=names).update(owner=self._owner, epoch=F("epoch") + 1, lease_until=until)
            return newest_batch()

    def check(self, batch: int) -> None:
        """Inside the transaction of the swap: all shards are still ours, and nobody wrote after this batch."""
        shards = list(Shard.objects.select_for_update().filter(role=INGEST).order_by("shard"))
        now = database_now()
        if any(row.owner != self._owner or row.lease_until <= now for row in shards) or newest_batch() != batch:
            raise PenLost

    def give_back(self) -> None:
        """Let the workers go on, with the rows as they are now."""
        with transaction.atomic():
            ours = Shard.objects.filter(Q(role=INGEST), owner=self._owner)
            ours.update(owner="", epoch=F("epoch") + 1, lease_until=0)

    @contextmanager
    def held(self) -> Iterator[int]:
        """Inside, we hold it; the newest batch written before."""
        try:
            yield self.take()
        finally:
            self.give_back()
