"""How much an instance does at a time: slots for handlers, and a queue in front of them.

New work waits for a slot. Work that has begun and goes on (its approval came, its sub-task ended) does not: it had
its slot before, and a decision must never wait behind what is merely new.
"""

from collections import deque
from collections.abc import Callable

from coordination.agent.work import Work


class Slots:
    """`limit` handlers at a time; `start` begins one and must call `free` when it ends. `freed` is called then."""

    def __init__(self, limit: int, start: Callable[[Work], None]) -> None:
        self.limit = limit
        self.taken = 0
        self.closed = False
        self.freed: Callable[[], None] = lambda: None
        self._start = start
        self._queue: deque[Work] = deque()

    def __len__(self) -> int:
        """How many wait for a slot."""
        return len(self._queue)

    def enqueue(self, work: Work) -> None:
        """Start it as soon as there is a slot, in the order of the queue."""
        self._queue.append(work)
        self.pump()

    def go_on(self, work: Work) -> None:
        """Start it now."""
        if self.closed:
            return
        self.taken += 1
        self._start(work)

    def free(self) -> None:
        """A handler has ended."""
        self.taken -= 1
        self.pump()
        self.freed()

    def remove(self, work: Work) -> bool:
        """Take it out of the queue; returns whether it was there."""
        try:
            self._queue.remove(work)
        except ValueError:
            return False
        return True

    def close(self) -> list[Work]:
        """Start nothing any more; returns what was waiting."""
        self.closed = True
        waiting, self._queue = list(self._queue), deque()
        return waiting

    def pump(self) -> None:
        """Start what there are slots for."""
        while self._queue and self.taken < self.limit and not self.closed:
            self.taken += 1
            self._start(self._queue.popleft())
