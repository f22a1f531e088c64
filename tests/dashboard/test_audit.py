"""The audit trail: whatever is changed, removed or swapped, the first broken link is named."""

import random

import pytest
from django.db import transaction

from dashboard.audit import GENESIS, enter, first_broken
from dashboard.models import Audit

pytestmark = pytest.mark.django_db


def trail(count: int = 12) -> list[Audit]:
    for number in range(count):
        enter("user-1", "decision", f"approval/{number}", {"decision": "approve", "amount": "17910.00"})
    return list(Audit.objects.order_by("number"))


def test_an_untouched_trail_holds() -> None:
    entries = trail()
    assert [entry.number for entry in entries] == list(range(1, 13))
    assert entries[0].previous == GENESIS
    assert first_broken(entries) is None


@pytest.mark.parametrize("seed", range(100))
def test_any_change_is_named(seed: int) -> None:
    chance = random.Random(seed)
    entries = trail()
    index = chance.randrange(len(entries) - 1)
    kind = chance.choice(["change", "remove", "swap"])
    if kind == "change":
        field = chance.choice(["actor", "act", "subject", "detail", "at", "digest"])
        entry = entries[index]
        setattr(entry, field, entry.at + 1 if field == "at" else getattr(entry, field) + "x")
    elif kind == "remove":
        del entries[index]
    else:
        entries[index], entries[index + 1] = entries[index + 1], entries[index]
    broken = first_broken(entries)
    assert broken is not None
    assert broken.number == index + 1


def test_an_act_that_fails_leaves_no_entry() -> None:
    def act() -> None:
        with transaction.atomic():
            enter("user-1", "decision", "approval/1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert Audit.objects.count() == 0
