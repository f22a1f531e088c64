"""The clocks of our own logs. Only adapters read a clock; everybody else is handed an instant."""

import time


def wall_clock() -> int:
    """Milliseconds since 1970 UTC: append times, and leases that several processes share."""
    return time.time_ns() // 1_000_000


def steady_clock() -> int:
    """Milliseconds that never jump, of this process: leases in memory."""
    return time.monotonic_ns() // 1_000_000
