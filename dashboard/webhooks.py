"""Webhooks: a signed POST, and how long to wait before the next try.

The header `Lineside-Signature: t=<seconds>,v1=<hex>` proves who sent it and when: HMAC-SHA256 over `t.body`, keyed
by the secret. Whoever listens compares in constant time and refuses what is older than a few minutes.
"""

import hashlib
import hmac
from typing import Final

import httpx

SECOND: Final = 1_000_000
PATIENCE: Final = 5.0
PAUSES: Final = (10, 60, 300, 1_800, 7_200, 21_600)
"""Seconds before the second and every further try; after as many tries it is given up."""
SIGNATURE: Final = "Lineside-Signature"


class NotTaken(Exception):
    """The address did not answer with success; says what it did."""


def signature(secret: str, body: bytes, now: int) -> str:
    """The value of the header at `now` (µs)."""
    at = str(now // SECOND)
    proof = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={proof}"


def post(url: str, secret: str, body: bytes, now: int) -> None:
    """POST a body of JSON. Raises NotTaken for whatever is not an answer of success; redirects are not followed."""
    headers = {"Content-Type": "application/json", SIGNATURE: signature(secret, body, now)}
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=PATIENCE, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTaken(f"{type(error).__name__}: {error}"[:500]) from error
    if not answer.is_success:
        raise NotTaken(f"answered {answer.status_code}")


def next_try(tries: int, now: int) -> int | None:
    """When (µs) to try again after so many tries failed; None: never."""
    return now + PAUSES[tries - 1] * SECOND if tries <= len(PAUSES) else None
