"""Rules of the list of formats."""

import json

import pytest

from coordination.importers import BadRecording, guess, read
from tests.coordination.importers.test_ndjson import RUN, TASK, lines
from tests.coordination.recordings import FOLDER, recording


@pytest.mark.parametrize("form", ["wfcommons", "temporal"])
def test_the_format_of_every_published_recording_is_guessed(form: str) -> None:
    files = sorted((FOLDER / form).glob("*.json"))
    assert len(files) == {"wfcommons": 4, "temporal": 14}[form]
    for file in files:
        assert guess(file.read_bytes()) == form


def test_files_of_events_are_guessed_with_one_line_and_with_many() -> None:
    assert guess(lines(RUN, TASK)) == guess(lines(RUN)) == guess(json.dumps(RUN).encode()) == "ndjson"


def test_a_format_given_is_used_and_one_not_given_is_guessed() -> None:
    content = recording("wfcommons/srasearch.json")
    assert read(content).origin == read(content, form="wfcommons").origin == "wfcommons"
    with pytest.raises(BadRecording):
        read(content, form="temporal")


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
def test_a_file_of_no_known_format_is_told_so(content: bytes) -> None:
    with pytest.raises(BadRecording, match="wfcommons, temporal, ndjson"):
        read(content)


@pytest.mark.parametrize("run_id", ["a/b", "a\nb", "x" * 81])
def test_a_run_id_that_fits_no_address_is_refused(run_id: str) -> None:
    with pytest.raises(BadRecording, match="run id"):
        read(recording("wfcommons/srasearch.json"), run_id=run_id)


def test_a_format_nobody_knows_is_refused() -> None:
    with pytest.raises(BadRecording, match="csv"):
        read(b"{}", form="csv")
