"""The delta of the fan-out benchmark: a row of 2 KB that says when it was made."""

import time
from typing import Any, Final

ABOUT: Final = "board"
BYTES: Final = 2_000
PAD: Final = "x" * (BYTES - 90)


def delta(number: int) -> dict[str, Any]:
    """Each has its own id, so that none takes the place of another before it is sent."""
    return {"kind": "task", "id": f"t-{number}", "revision": number + 1, "made": time.time_ns(), "pad": PAD}
