"""Rules of `gaps`: a gap is named, accepted once, by somebody, and the audit trail says by whom."""

import io

import pytest
from django.core.management import CommandError, call_command

from dashboard.models import Audit, Gap, Position

pytestmark = pytest.mark.django_db


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("gaps", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def gap() -> Gap:
    topic = "coord.run.task.events"
    Position.objects.create(topic=topic, partition=7, next_offset=5, shard="12-7")
    return Gap.objects.create(
        topic=topic,
        partition=7,
        shard="12-7",
        kind="truncated",
        expected_offset=5,
        begin_offset=9,
        message="4 records were deleted before they were read.",
        found_at=1_790_000_000_000_000,
    )


def test_without_a_gap_it_says_so() -> None:
    assert told() == "There is no gap.\n"


def test_a_gap_is_listed_with_its_place_and_reason(gap: Gap) -> None:
    line = told()
    assert line.startswith(f"{gap.pk}  2026-")
    assert "coord.run.task.events-7 at 5  truncated: 4 records were deleted" in line


def test_accepting_moves_the_position_and_is_in_the_audit_trail(gap: Gap) -> None:
    assert "shard 12-7 goes on" in told("--accept", str(gap.pk), "--by", "ada")
    assert Position.objects.get().next_offset == 9
    entry = Audit.objects.get()
    assert (entry.actor, entry.act, entry.subject) == ("command/ada", "gap.accepted", f"gap/{gap.pk}")
    assert told() == "There is no gap.\n"


def test_a_gap_is_accepted_once(gap: Gap) -> None:
    told("--accept", str(gap.pk), "--by", "ada")
    with pytest.raises(CommandError, match="accepted before, by ada"):
        told("--accept", str(gap.pk), "--by", "bob")
    assert Audit.objects.count() == 1


def test_an_unknown_gap_is_refused() -> None:
    with pytest.raises(CommandError, match="no gap 99"):
        told("--accept", "99")
