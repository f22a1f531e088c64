"""One spelling for one JSON value: RFC 8785, and the SHA-256 over it.

Hashes decide whether what a person approved is what an agent executes, so a value that two JSON readers could
understand differently is refused: integers of 2^53 and beyond (money travels as text), NaN, infinities, lone
surrogates, keys that are no text.
"""

import hashlib
from typing import Any

import msgspec
import rfc8785

from coordination.errors import CoordinationError


class NotCanonical(CoordinationError):
    """The value has no canonical JSON form; the message names the part that has none."""

    code = "not_canonical"


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value or of a struct of the catalogue. Raises NotCanonical."""
    try:
        once = rfc8785.dumps(msgspec.to_builtins(value))
        # A float such as 9007199254740992.0 is written without its point and would be an integer to the next reader.
        rfc8785.dumps(msgspec.json.decode(once))
        return once
    except (ValueError, TypeError, RecursionError) as error:
        raise NotCanonical(f"{error}. Send large numbers as text.") from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, 64 lower-case hex digits. Raises NotCanonical."""
    return hashlib.sha256(canonical(value)).hexdigest()
