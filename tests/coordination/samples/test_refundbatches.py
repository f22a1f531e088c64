"""Refund batches: money is text, and what is no decimal is refused with a real error."""

import random
from decimal import Decimal, InvalidOperation

import jsonschema
import pytest

from coordination.samples.refundbatches import batch, read_amount, schema


@pytest.mark.parametrize("number", range(1101, 1113))
def test_a_batch_is_the_same_for_the_same_chance_and_of_demo_size(number: int) -> None:
    first, second = (batch(random.Random(number), number) for _ in range(2))
    assert first == second
    assert 12 <= len(first.items) <= 60
    readable = [Decimal(item.amount) for item in first.items if "," not in item.amount]
    assert Decimal(first.total) == sum(readable)


def test_some_batches_hold_an_amount_nobody_can_read() -> None:
    spoiled = [
        number for number in range(1101, 1113) if any("," in i.amount for i in batch(random.Random(1), number).items)
    ]
    assert 0 < len(spoiled) < 12


def test_an_amount_is_read_as_a_decimal_or_refused() -> None:
    assert read_amount("12.4") == Decimal("12.40")
    with pytest.raises(InvalidOperation):
        read_amount("12,40")


def test_the_schema_takes_what_payer_asks_for_and_no_floats() -> None:
    asked = {"batch_id": "b", "currency": "EUR", "total": "12.40", "items": [{"id": "re_1", "amount": "12.40"}]}
    jsonschema.validate(asked, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(asked | {"total": 12.4}, schema())
