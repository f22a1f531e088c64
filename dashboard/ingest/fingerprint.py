"""The fingerprint of an error: equal for errors that differ only in numbers, ids, addresses and quoted names."""

import hashlib
import re
from functools import lru_cache
from typing import Final

from coordination.events.shapes import Failure

# What changes from one occurrence to the next: anything quoted, and every word with a digit in it.
VARIABLE: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s,;:()\[\]{}]*\d[^\s,;:()\[\]{}]*")


def fingerprint(error: Failure) -> str:
    """16 hex digits over the error's type and its first line with the variable parts taken out."""
    return _fingerprint(error.type, error.message.partition("\n")[0][:500])


@lru_cache(maxsize=4096)
def _fingerprint(kind: str, line: str) -> str:
    normal = VARIABLE.sub("#", line).lower()
    return hashlib.sha256(f"{kind}\n{normal}".encode()).hexdigest()[:16]
