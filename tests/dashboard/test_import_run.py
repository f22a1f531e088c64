"""Rules of `import_run`: a recording becomes records on the log, or a sentence says why not."""

import asyncio
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coordination.eventlog import Record, TopicPartition
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.coordination.recordings import FOLDER, recording


@pytest.fixture
def log_file(tmp_path: Path, settings: Any) -> Path:
    """A fresh embedded log that the settings point to."""
    path = tmp_path / "log.sqlite3"
    settings.LINESIDE_LOG = f"sqlite://{path}"
    return path


def imported(*arguments: str) -> tuple[str, str]:
    """What the command prints: (output, error output)."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_run", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue().strip()


def on_the_log(path: Path) -> list[Record]:
    """All records of a log file."""

    async def read() -> list[Record]:
        log = SqliteLog(path)
        positions = {
            TopicPartition(spec.name, number): 0 for spec in Manifest().specs() for number in range(spec.partitions)
        }
        reader = await log.reader(positions)
        found: list[Record] = []
        while batch := await reader.read(1000, 0):
            found += batch
        await reader.close()
        await log.close()
        return found

    return asyncio.run(read())


def test_a_recording_is_appended_and_its_run_id_printed(log_file: Path) -> None:
    run_id, words = imported(str(FOLDER / "wfcommons/srasearch.json"))
    assert run_id == "workflow-test-dbfc42d9"
    assert words == "wfcommons: 22 entries, 68 events"
    assert len(on_the_log(log_file)) == 68


def test_several_recordings_are_appended_one_after_the_other(log_file: Path) -> None:
    names = ("srasearch", "helloworld-forkjoin-10")
    ids, words = imported(*(str(FOLDER / f"wfcommons/{name}.json") for name in names))
    assert len(set(ids.splitlines())) == 2
    assert words.splitlines() == ["wfcommons: 22 entries, 68 events", "wfcommons: 10 entries, 32 events"]
    assert len(on_the_log(log_file)) == 100


def test_a_run_id_is_for_one_recording(log_file: Path) -> None:
    path = str(FOLDER / "wfcommons/srasearch.json")
    with pytest.raises(CommandError, match="one file"):
        imported(path, path, "--run-id", "mine")
    assert not log_file.exists()


def test_unknown_types_are_counted_in_words(log_file: Path) -> None:
    _, words = imported(str(FOLDER / "temporal/workflow_with_unknown_event.json"))
    assert words == "temporal: 26 entries, 26 events, 1 of an unknown type: UnknownEvent (1)"


def test_a_run_id_and_a_format_can_be_given(log_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "history"
    copy.write_bytes(recording("temporal/completed.ascending.json"))
    run_id, _ = imported(str(copy), "--format", "temporal", "--run-id", "mine")
    assert run_id == "mine"
    assert {dict(record.headers)["ce_correlationid"] for record in on_the_log(log_file)} == {b"mine"}


def test_a_speed_keeps_the_rhythm_of_the_recording(log_file: Path) -> None:
    began = time.monotonic()
    imported(str(FOLDER / "temporal/completed.ascending.json"), "--speed", "8")
    # 4.12 s at eight times the speed.
    assert 0.5 <= time.monotonic() - began < 5
    assert len(on_the_log(log_file)) == 18


def test_a_bad_file_leaves_nothing_on_the_log(log_file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(
        json.dumps({"createdAt": "2026-05-01T12:00:00Z", "workflow": {"tasks": [{"name": "a", "parents": ["a"]}]}})
    )
    good = str(FOLDER / "wfcommons/srasearch.json")
    with pytest.raises(CommandError, match=r"bad\.json: .*a → a"):
        imported(good, str(bad))
    assert not log_file.exists()


def test_a_missing_file_is_told_in_words(log_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        imported(str(tmp_path / "nothing.json"))


@pytest.mark.parametrize("speed", ["-1", "fast", "inf", "nan"])
def test_a_speed_that_is_none_is_refused(log_file: Path, speed: str) -> None:
    with pytest.raises(CommandError, match="speed"):
        imported(str(FOLDER / "wfcommons/srasearch.json"), "--speed", speed)
