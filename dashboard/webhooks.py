"""The one way in which webhooks are told: a signed POST, tried again after ever longer pauses, given up in the end.

The header `Lineside-Signature: t=<seconds>,v1=<hex>` proves who sent it and when: HMAC-SHA256 over `t.body`, keyed
by the secret. Whoever listens compares in constant time and refuses what is older than a few minutes.
"""

import hashlib
import hmac
from typing import Any, Final

import httpx
from django.conf import settings

from dashboard.models import Webhook

SECOND: Final = 1_000_000
PATIENCE: Final = 5.0
PAUSES: Final = (10, 60, 300, 1_800, 7_200, 21_600)
"""Seconds before the second and every further try."""
TRIES: Final = len(PAUSES) + 1
"""After so many it is given up."""
SIGNATURE: Final = "Lineside-Signature"


class NotTaken(Exception):
    """The address did not answer with success; says what it did."""


def signature(secret: str, body: bytes, now: int) -> str:
    """The value of the header at `now` (µs)."""
    at = str(now // SECOND)
    proof = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={proof}"


def post(webhook: Webhook, body: bytes, now: int) -> None:
    """POST a body of JSON. Raises NotTaken for whatever is not an answer of success; redirects are not followed."""
    headers = {"Content-Type": "application/json", SIGNATURE: signature(webhook.secret, body, now)}
    try:
        answer = httpx.post(webhook.url, content=body, headers=headers, timeout=PATIENCE, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTaken(f"{type(error).__name__}: {error}"[:500]) from error
    if not answer.is_success:
        raise NotTaken(f"answered {answer.status_code}")


def address(path: str) -> str:
    """A page's address as people outside of this machine reach it."""
    return f"{settings.LINESIDE_URL.rstrip('/')}{path}"


def next_try(tries: int, now: int) -> int | None:
    """When (µs) to try again after so many tries failed; None: never."""
    return now + PAUSES[tries - 1] * SECOND if tries < TRIES else None


def failed(tries: int, error: str, now: int) -> dict[str, Any]:
    """The columns of something that could not be sent, after so many tries: when it goes out again, or that it is
    given up. Mails keep to the same times."""
    again = next_try(tries, now)
    state = {"state": "dead"} if again is None else {"state": "waiting", "due_at": again}
    return {"tries": tries, "error": error, **state}
