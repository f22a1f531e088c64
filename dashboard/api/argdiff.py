"""The structural difference of two JSON values, as the review page shows it: sign, path, before, after."""

from typing import Any, Final

import msgspec

from coordination.visible import visible

ABSENT: Final = object()
# Whatever fits into one record is shown whole: nobody may approve what they could not read to its end.
SHOWN: Final = 40_000
TEXT: Final = 100_000


class Change(msgspec.Struct, frozen=True):
    """One changed place. `sign` is + (new), − (gone) or ~ (other value); `old` and `new` are JSON text, None
    where there is no value."""

    sign: str
    path: str
    old: str | None
    new: str | None


class Difference(msgspec.Struct, frozen=True):
    """All changes, in the order of the new value, and the paths that stayed the same (top level)."""

    changes: tuple[Change, ...]
    same: tuple[str, ...]
    more: int = 0


def difference(old: Any, new: Any) -> Difference:
    """What changes between two JSON values. `more` counts changes beyond the limit, which no record reaches."""
    changes = list(_walk(old, new, ""))
    same = (
        [key for key in _keys(new) if key in _keys(old) and _equal(old[key], new[key])] if _both_maps(old, new) else []
    )
    return Difference(tuple(changes[:SHOWN]), tuple(same), max(0, len(changes) - SHOWN))


def listing(value: Any) -> Difference:
    """The same shape for a value that replaces nothing: each top-level argument with what it is."""
    if isinstance(value, dict) and value:
        rows = [Change("", visible(str(key)), None, text(part)) for key, part in value.items()]
    else:
        rows = [Change("", "value", None, text(value))]
    return Difference(tuple(rows[:SHOWN]), (), max(0, len(rows) - SHOWN))


def text(value: Any) -> str:
    """One value as JSON, nothing in it hidden; cut beyond what a record holds, with a note of how much is missing."""
    encoded = msgspec.json.encode(value).decode()
    pretty = visible(encoded if len(encoded) < 80 else msgspec.json.format(encoded, indent=2))
    return pretty if len(pretty) <= TEXT else f"{pretty[:TEXT]}… and {len(pretty) - TEXT:,} characters more"


def _equal(old: Any, new: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return msgspec.json.encode(old, order="sorted") == msgspec.json.encode(new, order="sorted")


def _both_maps(old: Any, new: Any) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)


def _keys(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _walk(old: Any, new: Any, path: str) -> list[Change]:
    if old is not ABSENT and new is not ABSENT and _equal(old, new):
        return []
    if _both_maps(old, new):
        keys = [*new, *(key for key in old if key not in new)]
        pairs = [(f"{path}.{key}" if path else str(key), old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys]
    elif isinstance(old, list) and isinstance(new, list):
        pairs = _aligned(old, new, path)
    else:
        return [_change(old, new, path or "value")]
    return [change for place, before, after in pairs for change in _walk(before, after, place)]


def _aligned(old: list[Any], new: list[Any], path: str) -> list[tuple[str, Any, Any]]:
    """Items that are in one list alone where the lists differ in length, else item by item."""
    if len(old) == len(new):
        return [(f"{path}[{place}]", before, after) for place, (before, after) in enumerate(zip(old, new, strict=True))]
    left = [msgspec.json.encode(item) for item in new]
    pairs: list[tuple[str, Any, Any]] = []
    for place, item in enumerate(old):
        encoded = msgspec.json.encode(item)
        if encoded in left:
            left.remove(encoded)
        else:
            pairs.append((f"{path}[{place}]", item, ABSENT))
    for place, item in enumerate(new):
        encoded = msgspec.json.encode(item)
        if encoded in left:
            left.remove(encoded)
            pairs.append((f"{path}[{place}]", ABSENT, item))
    return pairs


def _change(old: Any, new: Any, path: str) -> Change:
    sign = "+" if old is ABSENT else "−" if new is ABSENT else "~"
    return Change(sign, visible(path), None if old is ABSENT else text(old), None if new is ABSENT else text(new))
