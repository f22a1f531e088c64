"""Rules of what a caller of the log's HTTP face may do."""

from fnmatch import fnmatchcase

import pytest

from coordination.errors import LogDenied
from dashboard.api.logscope import Caller


class Scope:
    """A pattern for reading and one for writing."""

    def __init__(self, reads: str = "*", writes: str = "*") -> None:
        self.reads, self.writes = reads, writes

    def allows_topic(self, name: str, write: bool) -> bool:
        return fnmatchcase(name, self.writes if write else self.reads)


class Manager(Scope):
    """May create and delete topics."""

    manages_topics = True


REVIEW = ["coord.review.approval.events", "coord.review.approval.commands", "dlq.coord.review", "review.x"]


@pytest.mark.parametrize("topic", REVIEW)
def test_nobody_reads_the_review_class(topic: str) -> None:
    assert not Caller(Scope()).sees(topic)
    with pytest.raises(LogDenied):
        Caller(Scope()).may_read(["coord.run.task.events", topic])


def test_only_asking_for_approval_is_written_to_the_review_class() -> None:
    caller = Caller(Scope())
    assert [topic for topic in REVIEW if caller.writes(topic)] == ["coord.review.approval.commands"]
    assert not Caller(Scope(writes="coord.run.*")).writes("coord.review.approval.commands")


def test_a_word_that_only_contains_review_is_no_review_class() -> None:
    assert Caller(Scope()).sees("coord.run.reviewer.events")


def test_reading_and_writing_are_separate_rights() -> None:
    caller = Caller(Scope(reads="coord.run.*", writes="coord.run.task.*"))
    caller.may_read(["coord.run.tool.events"])
    caller.may_write(["coord.run.task.events"])
    with pytest.raises(LogDenied, match="tool"):
        caller.may_write(["coord.run.task.events", "coord.run.tool.events"])


def test_topics_are_managed_only_with_the_right_to() -> None:
    Caller(Manager()).may_manage()
    with pytest.raises(LogDenied):
        Caller(Scope()).may_manage()


@pytest.mark.parametrize("group", ["", "x" * 256, "lineside.ingest", "lineside."])
def test_some_groups_are_closed_or_impossible(group: str) -> None:
    with pytest.raises(LogDenied):
        Caller(Scope()).may_join(group)


def test_agents_and_replays_have_groups() -> None:
    for group in ("agent.coder", "replay.7", "lineside-like"):
        Caller(Scope()).may_join(group)
