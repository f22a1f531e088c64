"""How often sign-in may be tried: counted in the database, because any web process may be asked next.

A try is entered before the password is looked at, so that a hundred tries at once count as a hundred, and taken
away again when it succeeds. Three counts: one person from one address, one address, one person from anywhere. The
last one is wide, because otherwise anybody could keep a person out.
"""

import hashlib
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from dashboard.clock import database_now
from dashboard.models import SignInTry

WINDOW: Final = 5 * 60 * 1_000_000
PAIR, ADDRESS, NAME = 5, 50, 100


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; behind a trusted proxy what that proxy says of its caller."""
    given = request.headers.get("X-Forwarded-For", "") if settings.LINESIDE_TRUST_PROXY else ""
    return given.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """Enter a try; 0 if it may go on, else the seconds after which the next one makes sense."""
    now = database_now()
    SignInTry.objects.filter(at__lte=now - WINDOW).delete()
    keys = _keys(request, name)
    SignInTry.objects.bulk_create(SignInTry(key=key, at=now) for key in keys)
    waits = [_wait(key, limit, now) for key, limit in keys.items()]
    if any(waits):
        # A try that was not let through does not make the wait longer.
        SignInTry.objects.filter(key__in=keys, at=now).delete()
    return max(waits)


def forget(request: HttpRequest, name: str) -> None:
    """The person has signed in: earlier slips from this address count no more."""
    SignInTry.objects.filter(key__in=_keys(request, name)).delete()


def _wait(key: str, limit: int, now: int) -> int:
    tries = list(SignInTry.objects.filter(key=key).order_by("-at").values_list("at", flat=True)[: limit + 1])
    return 0 if len(tries) <= limit else max(1, (tries[limit] + WINDOW - now) // 1_000_000)


def _keys(request: HttpRequest, name: str) -> dict[str, int]:
    address = address_of(request)
    parts = {f"pair\0{name.lower()}\0{address}": PAIR, f"address\0{address}": ADDRESS, f"name\0{name.lower()}": NAME}
    return {hashlib.sha256(text.encode(errors="replace")).hexdigest(): limit for text, limit in parts.items()}
