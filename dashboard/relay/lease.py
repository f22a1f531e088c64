"""The right to send for one relay shard: an epoch of `dashboard.shards`, and the local time it surely holds."""

import time

from coordination.errors import CoordinationError
from dashboard.models import Shard

ROLE = "relay"


class LeaseLost(CoordinationError):
    """Another relay may own the shard by now: write nothing, send nothing."""

    code = "lease_lost"


class Lease:
    """`epoch` of a shard, held by `worker`; `until` is on this machine's monotonic clock (s)."""

    def __init__(self, number: int, epoch: int, worker: str, until: float) -> None:
        self.number = number
        self.epoch = epoch
        self.worker = worker
        self.until = until

    @property
    def shard(self) -> str:
        """The name of the shard's row."""
        return f"{ROLE}:{self.number}"

    def check(self) -> None:
        """Raise LeaseLost when the lease may have run out by the clock of this machine: look before every send."""
        if time.monotonic() >= self.until:
            raise LeaseLost(f"The lease of {self.shard} ran out before it was renewed.")

    def lock(self) -> None:
        """Lock the shard's row for a transaction. Raises LeaseLost when the epoch is another one."""
        row = Shard.objects.select_for_update().filter(shard=self.shard).first()
        if row is None or (row.owner, row.epoch) != (self.worker, self.epoch):
            raise LeaseLost(f"The lease of {self.shard} has another owner now.")

    def drop(self) -> None:
        """Give the shard back, if it is still ours."""
        ours = Shard.objects.filter(shard=self.shard, owner=self.worker, epoch=self.epoch)
        ours.update(owner="", lease_until=0)
