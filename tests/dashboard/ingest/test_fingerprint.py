"""Errors that differ only in what varies have one fingerprint."""

import pytest

from coordination.events.shapes import Failure
from dashboard.ingest.fingerprint import fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 17 is empty", "row 902 is empty"),
        ("no such file: '/tmp/a'", "no such file: '/tmp/b c'"),
        ("timeout after 30s at 10.0.0.1:9092", "timeout after 5s at host-7:9092"),
        ("Bad request\nid 1", "Bad request\nsomething else"),
        ("KeyError: task-1a2b", "keyerror: task-9f"),
    ],
)
def test_numbers_ids_quotes_and_later_lines_do_not_count(one, other):
    assert fingerprint(Failure(type="E", message=one)) == fingerprint(Failure(type="E", message=other))


@pytest.mark.parametrize(("kind", "message"), [("F", "row 1 is empty"), ("E", "row 1 is full"), ("E", "")])
def test_another_type_or_other_words_are_another_error(kind, message):
    assert fingerprint(Failure(type=kind, message=message)) != fingerprint(Failure(type="E", message="row 1 is empty"))
