"""How far one partition is done: the position that may be committed while work ends out of order.

A position says "all before is done". Tasks end in any order, so the position is the lowest offset still open, and
what ended above it waits for it. Offsets are those of the log: they grow, and gaps are allowed.
"""

import heapq


class Offsets:
    """Open and finished offsets of one partition.

    `committed` is the position the log holds already, `next` the offset after the last one polled.
    """

    def __init__(self, committed: int) -> None:
        self.committed = committed
        self.next = committed
        self._open: set[int] = set()
        self._heap: list[int] = []

    def receive(self, offset: int) -> None:
        """A record was polled, in the order of the partition; after one below the former it goes on from there."""
        self.next = offset + 1
        self.reopen(offset)

    def reopen(self, offset: int) -> None:
        """A record that was polled is not finished, after all."""
        if offset not in self._open:
            self._open.add(offset)
            heapq.heappush(self._heap, offset)

    def finish(self, offset: int) -> None:
        """The record needs no second reading: it is done, or what is left to do is kept elsewhere."""
        self._open.discard(offset)
        while self._heap and self._heap[0] not in self._open:
            heapq.heappop(self._heap)

    @property
    def position(self) -> int:
        """The next offset a successor would have to read."""
        return self._heap[0] if self._heap else self.next

    @property
    def unfinished(self) -> int:
        """How many polled records are not finished."""
        return len(self._open)
