"""When a failed attempt is tried again: exponential back-off with jitter, and when to give up.

The delay before attempt n + 1 is drawn evenly from half to all of `min(cap, base * factor ** (n - 1))` ("equal
jitter"): spread enough that a thousand tasks which failed together do not come back together, and never so short
that the thing that failed gets no rest. Source: M. Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
"""

import random

import msgspec

from coordination.instants import MICROSECONDS


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """A retry policy; `base` and `cap` in seconds.

    `attempts` is how many tries may fail in all. `losses` is how many tries may end without a word (the process
    was killed, or its partition moved) before the task counts as poison; they are counted apart, so that a week of
    deployments does not use up the tries of a long task.
    """

    attempts: int = 5
    base: float = 1.0
    factor: float = 2.0
    cap: float = 300.0
    losses: int = 4

    def exhausted(self, failures: int, losses: int) -> bool:
        """Whether so many failed and so many lost tries are enough to give up."""
        return failures >= self.attempts or losses >= self.losses

    def delay(self, failures: int, chance: random.Random) -> int:
        """Microseconds to wait after the nth failure (1 is the first)."""
        # The exponent is bounded because a float overflows long after the cap has decided.
        longest = min(self.cap, self.base * self.factor ** min(failures - 1, 64))
        return int(longest * (0.5 + chance.random() / 2) * MICROSECONDS)
