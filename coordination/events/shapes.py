"""What all data schemas are made of: the open object, references, errors.

Objects are open: a field a reader does not know is no error, and stays in the raw record. Within a major
version only optional fields with defaults are added. Enumerations are text with documented words, closed only
where a word nobody knows could not be acted upon.
"""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
# Within 32 bits, so that every store and every language can keep it: what is beyond is a mistake, and told as one.
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, lower-case hex")]
Money = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,12}([.][0-9]{1,9})?$", description="decimal text, never a float")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Data(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Base of all data schemas: an open object."""


class Nothing(Data, frozen=True, gc=False, kw_only=True):
    """Data of an event that says everything in its envelope. `note` is for people."""

    note: str = ""


class Failure(Data, frozen=True, gc=False, kw_only=True):
    """An error. `message` starts with the last line, the one a person looks for; `stack` is optional."""

    type: str = ""
    message: str = ""
    stack: str | None = None


class Reason(Data, frozen=True, gc=False, kw_only=True):
    """Data of an event that only needs a reason."""

    reason: str = ""


class Place(Data, frozen=True, gc=False, kw_only=True):
    """Where a record stands or stood."""

    topic: str
    partition: Count
    offset: Count
