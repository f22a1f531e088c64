"""Golden records: what a released version wrote must be read for ever.

`golden/<version>.ndjson` holds one record per type, as it lay on the wire. A file is written once, when its version is
released, and never again: `python -m tests.coordination.test_golden 1.1` writes the next and replaces none.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coordination.encoding import new_event
from coordination.envelope import Event, decode
from coordination.eventlog import APPEND_TIME, StoredRecord
from coordination.events import CATALOGUE
from tests.coordination.examples import EXAMPLES
from tests.coordination.wire import NOON

FOLDER = Path(__file__).parent / "golden"
VERSIONS = sorted(path.stem for path in FOLDER.glob("*.ndjson"))


def golden(version: str) -> Iterator[tuple[dict[str, Any], Event]]:
    """Each line of a file with the event it is read as."""
    for line in (FOLDER / f"{version}.ndjson").read_text().splitlines():
        said = json.loads(line)
        headers = tuple((name, text.encode()) for name, text in said["headers"])
        value = None if said["value"] is None else said["value"].encode()
        record = StoredRecord(said["topic"], 0, 0, NOON // 1000, APPEND_TIME, said["key"].encode(), value, headers)
        yield said, decode(record)


def assert_says(data: Any, wrote: Any) -> None:
    """What was read holds everything that was written."""
    if isinstance(data, msgspec.Struct):
        for name, value in wrote.items():
            assert_says(getattr(data, name), value)
    elif isinstance(data, tuple):
        assert len(data) == len(wrote)
        for one, value in zip(data, wrote, strict=True):
            assert_says(one, value)
    else:
        assert msgspec.to_builtins(data) == wrote


@pytest.mark.parametrize("version", VERSIONS)
def test_every_record_ever_released_is_read_with_all_it_says(version: str) -> None:
    for said, event in golden(version):
        headers = dict(said["headers"])
        assert (event.known, event.inferred, event.flags) == (True, (), ())
        assert (event.id, event.type, event.task_id) == (headers["ce_id"], headers["ce_type"], headers["ce_taskid"])
        assert_says(event.data, json.loads(said["value"]))


def test_version_1_0_has_every_type_it_was_released_with() -> None:
    names = [event.name for _, event in golden("1.0")]
    assert len(names) == len(set(names)) == 75
    assert set(names) <= set(CATALOGUE)


def test_there_is_a_first_version() -> None:
    assert VERSIONS[0] == "1.0"


def write(version: str) -> None:
    """Write the golden records of a version."""
    with (FOLDER / f"{version}.ndjson").open("x") as file:
        for number, name in enumerate(CATALOGUE):
            new = new_event(
                name,
                source="/golden/agents/coder-1/a1",
                time=NOON + number,
                id=f"golden-{version}-{number:03d}",
                run_id="run-1",
                task_id="task-1",
                causation="cause-1",
                data=EXAMPLES[name],
                agent_id="coder-1",
                agent_group="coder",
                parent_task_id="task-0",
                attempt=1,
                target_group="coder",
                fold_key="0123456789abcdef",
                idempotency_key="task-1",
                fanout_id="fan-1",
                fanout_index=0,
                fanout_count=8,
                sequence=number,
                expiry_at=NOON + 3_600_000_000,
            )
            said = {
                "topic": new.topic,
                "key": (new.key or b"").decode(),
                "headers": [(header, value.decode()) for header, value in new.headers],
                "value": (new.value or b"").decode(),
            }
            file.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    write(sys.argv[1])
