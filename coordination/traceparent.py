"""W3C Trace Context: whether a `traceparent` can be used. A bad one is ignored as a whole, never refused."""

import re
from typing import Final

_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def is_traceparent(text: str) -> bool:
    """Whether the text follows W3C Trace Context 1, section 3.2: lower-case hex, no all-zero ids, not `ff`.

    Version 00 has exactly four fields; a later version may append more, which are not looked at.
    """
    return _FORM.fullmatch(text) is not None and (len(text) == 55 or not text.startswith("00"))
