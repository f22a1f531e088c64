"""Arguments as typed: every digit counts, and what readers understand differently is refused."""

import pytest

from dashboard.api.argtext import NotArguments, read


def test_no_digit_is_lost() -> None:
    assert read('{"id": 9007199254740993, "amount": "1.10"}') == {"id": 9007199254740993, "amount": "1.10"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "at line 1, column"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ("NaN", "NaN is no number"),
        ("1e999", "no number type can hold"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_readers_understand_differently_is_refused(text: str, words: str) -> None:
    with pytest.raises(NotArguments, match=words):
        read(text)
