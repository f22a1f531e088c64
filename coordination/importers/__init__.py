"""Runs that were recorded elsewhere, read into events: one file per format, and the list of formats."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from coordination.importers import ndjson, temporal, wfcommons
from coordination.importers.recording import DEFAULT_TENANT, BadRecording, Recording
from coordination.manifest import Manifest

__all__ = ["FORMATS", "BadRecording", "Recording", "guess", "read"]


# Ids of tasks and fan-outs are made of it, and it is part of addresses.
MAX_RUN_ID: Final = 80


class Read(Protocol):
    """Reads the bytes of a file. Raises BadRecording."""

    def __call__(
        self, content: bytes, *, run_id: str = "", manifest: Manifest | None = None, tenant: str = DEFAULT_TENANT
    ) -> Recording: ...


class Format(NamedTuple):
    """A format: how it is recognised in parsed JSON, and how it is read."""

    looks_like: Callable[[Any], bool]
    read: Read


FORMATS: Final[Mapping[str, Format]] = {
    "wfcommons": Format(wfcommons.looks_like, wfcommons.read),
    "temporal": Format(temporal.looks_like, temporal.read),
    "ndjson": Format(ndjson.looks_like, ndjson.read),
}


def guess(content: bytes) -> str:
    """The format of a file by its content. Raises BadRecording."""
    try:
        parsed = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        parsed = ndjson.first_line(content)
    found = next((name for name, form in FORMATS.items() if form.looks_like(parsed)), None)
    if found is None:
        raise BadRecording(f"This file is none of the formats known here: {', '.join(FORMATS)}.")
    return found


def read(
    content: bytes,
    *,
    form: str = "",
    run_id: str = "",
    manifest: Manifest | None = None,
    tenant: str = DEFAULT_TENANT,
) -> Recording:
    """The recording a file holds; its format is guessed where none is given. Raises BadRecording."""
    if "/" in run_id or not run_id.isprintable() or len(run_id) > MAX_RUN_ID:
        raise BadRecording(f"A run id has at most {MAX_RUN_ID} characters, no slash and no control character.")
    name = form or guess(content)
    if name not in FORMATS:
        raise BadRecording(f"There is no format {name!r}; known are {', '.join(FORMATS)}.")
    return FORMATS[name].read(content, run_id=run_id, manifest=manifest, tenant=tenant)
