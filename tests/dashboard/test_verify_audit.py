"""Rules of `verify_audit`: it says how long the chain is, and names the first link that is broken."""

import io
import uuid

import pytest
from django.core.management import CommandError, call_command

from dashboard.audit import enter
from dashboard.models import Audit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_log_of_its_own(settings):
    settings.LINESIDE_LOG = f"memory://{uuid.uuid4().hex}"


def verified(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue().splitlines()


def trail(count: int) -> list[str]:
    return [enter("user-1", "decision", f"approval/{number}", {"n": number}).digest for number in range(count)]


def test_a_chain_that_holds_is_told_with_its_last_link():
    digests = trail(2_500)
    words = verified()
    assert words[0].startswith("2500 entries")
    assert words[1] == f"2500:{digests[-1]}"
    assert verified("--verbosity", "0") == []


def test_an_empty_trail_holds():
    assert verified()[0] == "The audit trail is empty."


def test_the_first_broken_link_is_named():
    trail(1_200)
    Audit.objects.filter(number__in=(1_100, 1_150)).update(actor="somebody else")
    with pytest.raises(CommandError, match="broken at entry 1100: entry 1100 was changed"):
        verified()


def test_a_missing_entry_is_named():
    trail(10)
    Audit.objects.filter(number=4).delete()
    with pytest.raises(CommandError, match="broken at entry 4: entry 4 is missing"):
        verified()


def test_a_cut_end_shows_against_what_was_noted_elsewhere():
    noted = f"10:{trail(10)[-1]}"
    trail(3)
    assert verified("--expect", noted)[0].startswith("13 entries")
    Audit.objects.filter(number__gte=10).delete()
    assert verified()[0].startswith("9 entries")
    with pytest.raises(CommandError, match="entry 10 was there once"):
        verified("--expect", noted)


def test_a_chain_that_was_written_anew_shows_against_what_was_noted_elsewhere():
    noted = f"3:{trail(3)[-1]}"
    Audit.objects.all().delete()
    trail(2)
    enter("user-2", "decision", "approval/2")
    assert verified()[0].startswith("3 entries")
    with pytest.raises(CommandError, match="entry 3 is another one"):
        verified("--expect", noted)


@pytest.mark.parametrize("expected", ["", "x:y", "3", "3:", "-1:abc", "99999999999999999999999:abc"])
def test_an_expectation_that_makes_no_sense_is_refused(expected: str):
    trail(1)
    if not expected:
        assert verified("--expect", expected)
        return
    with pytest.raises(CommandError):
        verified("--expect", expected)
