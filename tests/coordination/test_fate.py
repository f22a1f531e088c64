"""The fate of a record is a table: where the group stands and what was done on the left, one word on the right."""

import pytest

from coordination.fate import Fate, Standing, Word, Work, fate_of


def at(commit: int | None, state: str = "behind", **given: int) -> Standing:
    return Standing(state=state, commit=commit, **({"begin": 0, "stable": 100, "high": 100} | given))


@pytest.mark.parametrize(
    ("standing", "work", "word"),
    [
        (None, "none", "unknown"),
        (None, "running", "running"),
        (None, "done", "done"),
        (at(40, "no permission"), "none", "unknown"),
        (at(40, "topic recreated"), "none", "unknown"),
        (at(40, "stale"), "done", "done"),
        (at(None, "not started"), "none", "no position"),
        (at(None, "not started"), "not meant", "no position"),
        (at(50), "none", "waiting"),
        (at(50), "not meant", "waiting"),
        (at(50), "running", "running"),
        (at(50), "done", "done"),
        (at(51), "none", "passed without result"),
        (at(51), "not meant", "passed"),
        (at(51), "running", "running"),
        (at(51), "done", "done"),
        (at(40, begin=60), "none", "lost unread"),
        (at(40, begin=60), "done", "done"),
        (at(51, begin=60), "not meant", "passed"),
        (at(40, reached=60), "none", "will be read again"),
        (at(40, reached=60), "done", "will be read again"),
        (at(40, reached=60), "running", "running"),
        (at(40, reached=50), "none", "waiting"),
        (at(40, stable=45), "none", "held by open transaction"),
        (at(40, stable=51), "none", "waiting"),
    ],
)
def test_the_fate_of_record_50(standing: Standing | None, work: Work, word: Word) -> None:
    found = fate_of(50, standing, work, "it was said")
    assert found.word == word
    assert found.evidence


def test_the_evidence_is_in_figures() -> None:
    assert fate_of(50, at(44), "none") == Fate("waiting", "6 records ahead; the group's commit is 44")
