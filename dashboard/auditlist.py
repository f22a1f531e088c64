"""Entries of the audit trail as rows: for the page, the API and exports."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from coordination.instants import rfc3339
from dashboard.models import Audit, AuditHead


def filtered(query: str) -> QuerySet[Audit]:
    """Entries, newest first, that hold every word of a query: `act:`, `who:`, `about:` and `number:` look in one
    field (an ending `*` is any ending), other words in all of them."""
    found = Audit.objects.order_by("-number")
    for word in query.split():
        key, colon, value = word.partition(":")
        field = {"act": "act", "who": "actor", "about": "subject"}.get(key)
        if colon and key == "number" and value.isdecimal():
            found = found.filter(number=min(int(value), 2**62))
        elif colon and field == "actor":
            found = found.filter(Q(actor=value) | Q(actor__in=ids_of(value)))
        elif colon and field is not None:
            look = {f"{field}__startswith": value[:-1]} if value.endswith("*") else {field: value}
            found = found.filter(**look)
        else:
            anywhere = Q(actor__icontains=word) | Q(act__icontains=word) | Q(subject__icontains=word)
            found = found.filter(anywhere | Q(actor__in=ids_of(word)))
    return found


def ids_of(name: str) -> list[str]:
    """The opaque ids of people whose user name holds this."""
    found = get_user_model().objects.filter(username__icontains=name.replace("\0", ""))
    return [f"user-{pk}" for pk in found.values_list("pk", flat=True)[:100]]


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
