"""The audit trail: whatever is changed, removed or swapped, the first broken link is named."""

import random
from copy import copy

import pytest
from django.db import transaction

from dashboard.audit import GENESIS, enter, first_broken, verify
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


def test_any_change_is_named() -> None:
    untouched = trail()
    for seed in range(200):
        chance, entries = random.Random(seed), [copy(entry) for entry in untouched]
        index = chance.randrange(len(entries) - 1)
        kind = chance.choice(["change", "remove", "swap"])
        if kind == "change":
            field = chance.choice(["actor", "act", "subject", "detail", "at", "digest", "previous"])
            entry = entries[index]
            setattr(entry, field, entry.at + 1 if field == "at" else getattr(entry, field) + "x")
        elif kind == "remove":
            del entries[index]
        else:
            entries[index], entries[index + 1] = entries[index + 1], entries[index]
        broken = first_broken(entries)
        assert broken is not None, (seed, kind)
        assert broken.number == index + 1, (seed, kind)


def test_one_changed_byte_in_the_table_is_named_by_its_number() -> None:
    trail()
    assert verify() is None
    Audit.objects.filter(number=7).update(detail=Audit.objects.get(number=7).detail.replace("17910", "17911"))
    broken = verify()
    assert broken is not None
    assert (broken.number, broken.reason) == (7, "entry 7 was changed after it was written")


def test_an_act_that_fails_leaves_no_entry() -> None:
    def act() -> None:
        with transaction.atomic():
            enter("user-1", "decision", "approval/1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert Audit.objects.count() == 0
