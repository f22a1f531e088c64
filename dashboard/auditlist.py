"""Entries of the audit trail as rows: for the page, the API and exports."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from coordination.instants import rfc3339
from dashboard.models import Audit, AuditHead


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """User names behind opaque ids; an id without a user is missing."""
    ids = {int(number) for actor in actors if (number := actor.removeprefix("user-")[:18]).isdecimal()}
    return {f"user-{user.pk}": user.get_username() for user in get_user_model().objects.filter(pk__in=ids)}


def anchored() -> AuditHead | None:
    """The last head on the log, as this database remembers it."""
    return AuditHead.objects.order_by("-number").first()


def rows(entries: QuerySet[Audit]) -> Iterator[dict[str, Any]]:
    """Whole entries with what is needed to compute their digests elsewhere; instants as text beside µs."""
    head = anchored()
    last = head.number if head else 0
    names: dict[str, str] = {}
    for entry in entries.iterator(chunk_size=1_000):
        if entry.actor not in names:
            names[entry.actor] = names_of([entry.actor]).get(entry.actor, "")
        yield {
            "number": entry.number,
            "at": rfc3339(entry.at),
            "at_us": entry.at,
            "actor": entry.actor,
            "actor_name": names[entry.actor],
            "act": entry.act,
            "subject": entry.subject,
            "detail": msgspec.json.decode(entry.detail),
            "previous": entry.previous,
            "digest": entry.digest,
            "anchored": entry.number <= last,
        }
