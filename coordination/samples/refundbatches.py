"""Refund batches: what is refunded, to whom, why. Money is decimal text, as it travels on the log."""

import random
from decimal import Decimal
from typing import Any, Final

import msgspec

KINDS: Final = ("card duplicates", "SEPA returns", "chargebacks", "cancelled orders", "price guarantee")
REASONS: Final = ("DUPLICATE_CHARGE", "RETURNED_GOODS", "CANCELLED", "PRICE_MATCH")
NAMES: Final = ("Adler", "Brandt", "Costa", "Dufour", "Eriksen", "Ferrari", "Grønli", "Horvat", "Ibáñez", "Jansen")


class Item(msgspec.Struct, frozen=True):
    """One refund. `amount` is decimal text; a bad one cannot be read as a decimal."""

    id: str
    customer: str
    amount: str
    reason_code: str


class Batch(msgspec.Struct, frozen=True):
    """One batch: its number, kind and refunds (12 to 60)."""

    number: int
    kind: str
    items: tuple[Item, ...]

    @property
    def title(self) -> str:
        """As the board shows it."""
        return f"Refund batch {self.number}, {self.kind}"

    @property
    def total(self) -> str:
        """The sum of all amounts that can be read."""
        return str(sum((Decimal(item.amount) for item in self.items if "," not in item.amount), Decimal("0.00")))


def batch(chance: random.Random, number: int) -> Batch:
    """The batch of this number; in some an amount is written as nobody here writes amounts."""
    size = chance.choice((12, 15, 18, 24, 30, 42, 60))
    kind = KINDS[number % len(KINDS)]
    reason = REASONS[number % len(REASONS)]
    items = [
        Item(
            id=f"re_{chance.getrandbits(24):06x}",
            customer=f"{chance.choice(NAMES)} {chance.choice('ABCDEFGHKLMNPRSTW')}.",
            amount=f"{chance.randint(300, 41_200) / 100:.2f}",
            reason_code=reason,
        )
        for _ in range(size)
    ]
    if number % 3 == 1:
        spoiled = chance.randrange(size)
        items[spoiled] = msgspec.structs.replace(items[spoiled], amount=items[spoiled].amount.replace(".", ","))
    return Batch(number=number, kind=kind, items=tuple(items))


def read_amount(text: str) -> Decimal:
    """An amount as a decimal. Raises decimal.InvalidOperation for anything else, with a real traceback."""
    return Decimal(text).quantize(Decimal("0.01"))


def schema() -> dict[str, Any]:
    """What the arguments of a refund execution must look like."""
    return {
        "type": "object",
        "required": ["batch_id", "currency", "items", "total"],
        "additionalProperties": False,
        "properties": {
            "batch_id": {"type": "string"},
            "currency": {"enum": ["EUR"]},
            "psp": {"type": "string"},
            "total": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
            "notify_customers": {"type": "boolean"},
            "items": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["id", "amount"],
                    "properties": {
                        "id": {"type": "string"},
                        "amount": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
                        "reason_code": {"type": "string"},
                    },
                },
            },
        },
    }
