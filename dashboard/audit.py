"""The audit trail: one entry per act, chained by hash, written in the transaction of the act itself.

An entry's digest covers its own fields and the digest of the entry before it, so changing, removing or swapping
entries breaks the chain at a place that can be named. Numbers count without holes: writers take a lock that lives
as long as their transaction (PostgreSQL: an advisory lock; SQLite: the write lock the transaction holds anyway).
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from django.db import connection, transaction

from coordination.canonical import canonical, digest
from dashboard.clock import database_now
from dashboard.models import Audit

GENESIS: Final = "0" * 64
CHAIN_LOCK: Final = 0x11AE51DE


class Broken(msgspec.Struct, frozen=True):
    """The first broken link: the entry's number and what is wrong with it, in words."""

    number: int
    reason: str


def digest_of(number: int, at: int, actor: str, act: str, subject: str, detail: str, previous: str) -> str:
    """The digest of an entry: SHA-256 of the canonical JSON of its fields; instants travel as text."""
    fields = [str(number), str(at), actor, act, subject, detail, previous]
    return digest(fields)


def enter(actor: str, act: str, subject: str, detail: dict[str, Any] | None = None) -> Audit:
    """Append an entry. Must run inside the transaction of the act, so that neither exists without the other."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        last = Audit.chain.order_by("-number").values_list("number", "digest").first()
        number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        at, text = database_now(), canonical(detail or {}).decode()
        return Audit.chain.create(
            number=number,
            at=at,
            actor=actor,
            act=act,
            subject=subject,
            detail=text,
            previous=previous,
            digest=digest_of(number, at, actor, act, subject, text, previous),
        )


def first_broken(entries: Iterable[Audit], *, after: str = GENESIS, number: int = 1) -> Broken | None:
    """The first broken link of entries in order of their numbers, or None if the chain holds."""
    previous = after
    for expected, entry in enumerate(entries, start=number):
        if entry.number != expected:
            return Broken(expected, f"entry {expected} is missing; entry {entry.number} follows")
        if entry.previous != previous:
            return Broken(expected, f"entry {expected} does not continue the entry before it")
        fields = (entry.number, entry.at, entry.actor, entry.act, entry.subject, entry.detail, entry.previous)
        if entry.digest != digest_of(*fields):
            return Broken(expected, f"entry {expected} was changed after it was written")
        previous = entry.digest
    return None


def verify() -> Broken | None:
    """Recompute the whole chain from the table; the first broken link, or None if it holds."""
    return first_broken(Audit.chain.order_by("number").iterator(chunk_size=1000))
