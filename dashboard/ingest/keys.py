"""De-duplication: every event leaves a 64-bit key, per partition.

The key is a hash of (topic, partition, source, id), so two different events may share one, by chance or on
purpose. A key that is taken is therefore only a suspicion, settled by looking at the record that took it; an
event that turns out to be another one goes on to the key of the next `salt`.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from coordination.event import Event


class Seen(NamedTuple):
    """An event that is a duplicate: its number in the batch, and the offset of its first occurrence."""

    number: int
    of_offset: int


def event_key(event: Event, salt: int = 0) -> int:
    """The signed 64-bit key of an event."""
    text = f"{event.topic}\0{event.partition}\0{event.source}\0{event.id}"
    if salt:
        text += f"\0{salt}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class Deduplicator:
    """Finds the duplicates of a batch while entering its keys.

    `enter(keys, offsets)` adds those that are new and returns {key: offset that holds it} for all of them, or
    None if all were new. `identity(topic, partition, offset)` gives (source, id) of a stored event, or None. A key
    that is held by the event's own offset is its own: positions only move on, so no offset is read twice.
    """

    def __init__(
        self,
        enter: Callable[[Sequence[int], Sequence[int]], Mapping[int, int] | None],
        identity: Callable[[str, int, int], tuple[str, str] | None],
    ) -> None:
        self._enter = enter
        self._identity = identity

    def duplicates(self, events: Sequence[Event], keys: Sequence[int]) -> list[Seen]:
        """The duplicates among these events, those of each other included, in order of their number. `keys` are
        their keys without salt."""
        found: list[Seen] = []
        waiting = list(range(len(events)))
        salt = 0
        while waiting:
            waiting, seen = self._round(events, waiting, keys)
            found.extend(seen)
            salt += 1
            keys = [event_key(events[index], salt) for index in waiting]
        return sorted(found)

    def _round(self, events: Sequence[Event], waiting: list[int], keys: Sequence[int]) -> tuple[list[int], list[Seen]]:
        """Those whose key is held by another event, and those that are duplicates."""
        offsets = [events[index].offset for index in waiting]
        first = dict(zip(reversed(keys), reversed(offsets), strict=True))
        taken = self._enter(list(first), list(first.values()))
        if taken is None and len(first) == len(keys):
            return [], []
        holders = first if taken is None else taken
        others: list[int] = []
        seen: list[Seen] = []
        # Within the batch the first of two is new; its record is not stored yet, so its identity is looked up here.
        identities = {(event.topic, event.partition, event.offset): (event.source, event.id) for event in events}
        for index, key in zip(waiting, keys, strict=True):
            event, holder = events[index], holders[key]
            if holder == event.offset:
                continue
            place = (event.topic, event.partition, holder)
            if (identities.get(place) or self._identity(*place)) == (event.source, event.id):
                seen.append(Seen(index, holder))
            else:
                others.append(index)
        return others, seen
