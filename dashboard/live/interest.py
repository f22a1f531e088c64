"""Which things somebody watches in some process, told to the processes that publish.

Making rows costs the publisher more than sending them, so it makes them of what is watched. Each hub says what it
watches once a second, and at once when that grows. A change of anything else is still mentioned by name, so whoever
began to watch while word of it was on its way is told to ask the API.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

GROUP: Final = "lineside.watched"
BEAT: Final = 1.0
STALE: Final = 5 * BEAT


def announcement(hub: str, abouts: Iterable[str]) -> dict[str, Any]:
    """The message of one hub: all that it watches now."""
    return {"type": "watched", "hub": hub, "abouts": list(abouts)}


class Interest:
    """What the hubs have announced; those that fell silent count no more. One thread hears, any may ask."""

    def __init__(self) -> None:
        self._announced: dict[str, tuple[float, frozenset[str]]] = {}

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take an announcement."""
        now = time.monotonic()
        kept = {hub: told for hub, told in self._announced.items() if told[0] > now - STALE}
        # A new dict each time: others may be reading the old one.
        self._announced = kept | {message["hub"]: (now, frozenset(message["abouts"]))}

    def wanted(self, about: str) -> bool:
        """Whether a hub watches it, as far as this process has heard."""
        limit = time.monotonic() - STALE
        return any(about in abouts and at > limit for at, abouts in self._announced.values())
