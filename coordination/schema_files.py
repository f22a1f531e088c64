"""The schema files: JSON Schema for every event type and version, and one AsyncAPI document.

`python -m coordination.schema_files` brings `coordination/schemas/` up to date with the structs: a changed struct
becomes the next minor version, if it understands all older ones and they understand it. `--check` changes nothing and
exits with 1 if there would be something to do. A version that was written is never changed again, its notes excepted.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from coordination.asyncapi import document
from coordination.compatibility import check_compatible
from coordination.events import CATALOGUE, EventType

FOLDER: Final = Path(__file__).parent / "schemas"
ASYNCAPI: Final = "asyncapi.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NOTES: Final = frozenset({"$schema", "$id", "title", "description"})
_FILE: Final = re.compile(r"([0-9]+)\.([0-9]+)\.json")


class Version(NamedTuple):
    """One version of one schema; versions of a major compare by their minor."""

    major: int
    minor: int
    schema: Mapping[str, Any]


class Review(NamedTuple):
    """What brings the files up to date (path -> text), and what must not be written, as sentences."""

    due: dict[Path, str]
    broken: list[str]


def review(entries: Iterable[EventType] = CATALOGUE.values(), folder: Path = FOLDER) -> Review:
    """Compare the files with the catalogue."""
    found = Review({}, [])
    for entry in entries:
        known = versions(folder / entry.name)
        _review(entry, known, folder / entry.name, found)
        found.broken.extend(f"{entry.name}: {words}" for words in _between(known))
    path = folder / ASYNCAPI
    text = _text(document(_protocol_version(folder, found.due)))
    if not path.exists() or path.read_text() != text:
        found.due[path] = text
    return found


def _review(entry: EventType, known: list[Version], folder: Path, found: Review) -> None:
    major, minor = (known[-1].major, known[-1].minor) if known else (1, 0)
    current = _schema(entry, major, minor)
    if known and _bare(known[-1].schema) != _bare(current):
        minor += 1
        current = _schema(entry, major, minor)
        older = [one for one in known if one.major == major]
        words = [
            f"{entry.name} {one.major}.{one.minor} → {major}.{minor}: {word}"
            for one in older
            for word in check_compatible(one.schema, current)
        ]
        if words:
            found.broken.extend(words)
            return
    path = folder / f"{major}.{minor}.json"
    if not path.exists() or path.read_text() != _text(current):
        found.due[path] = _text(current)


def versions(folder: Path) -> list[Version]:
    """The versions of one schema, oldest first."""
    found = [(match, path) for path in folder.glob("*.json") if (match := _FILE.fullmatch(path.name))]
    return sorted(
        Version(int(match[1]), int(match[2]), msgspec.json.decode(path.read_bytes())) for match, path in found
    )


def _between(known: list[Version]) -> Iterator[str]:
    """FULL_TRANSITIVE: every pair of versions of a major, not only neighbours."""
    for place, newer in enumerate(known):
        for older in known[:place]:
            if older.major == newer.major:
                for words in check_compatible(older.schema, newer.schema):
                    yield f"{older.major}.{older.minor} → {newer.major}.{newer.minor}: {words}"


def _schema(entry: EventType, major: int, minor: int) -> dict[str, Any]:
    head = {"$schema": DIALECT, "$id": f"urn:lineside:{entry.name}:{major}.{minor}"}
    # Through JSON, because defaults that are tuples must compare equal to the lists in the files.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(head | msgspec.json.schema(entry.schema)))
    return plain


def _bare(schema: Any) -> Any:
    """A schema without its notes, which may change within a version."""
    if isinstance(schema, Mapping):
        return {
            name: {inner: _bare(value) for inner, value in part.items()}
            if name in ("properties", "$defs")
            else _bare(part)
            for name, part in schema.items()
            if name not in NOTES
        }
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema


def _protocol_version(folder: Path, due: Iterable[Path]) -> str:
    """1.n.0: n is the highest minor of any schema, so that the document changes with the first of them."""
    minors = [one.minor for entry in CATALOGUE for one in versions(folder / entry)]
    minors += [int(match[2]) for path in due if (match := _FILE.fullmatch(path.name))]
    return f"1.{max(minors, default=0)}.0"


def _text(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m coordination.schema_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if files are not up to date")
    check = parser.parse_args(arguments).check
    found = review()
    for words in found.broken:
        sys.stderr.write(f"{words}\n")
    if found.broken:
        sys.stderr.write("A change that breaks readers needs a new type with the ending .v2, or must be taken back.\n")
        return 1
    for path, text in found.due.items():
        sys.stdout.write(f"{'not up to date' if check else 'written'}: {path.relative_to(FOLDER)}\n")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if check and found.due else 0


if __name__ == "__main__":
    sys.exit(main())
