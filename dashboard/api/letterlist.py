"""Records that went wrong, newest first: rejected by us because they are no events, given up by agents."""

import re
from typing import Any, Final

from django.db.models import Q, QuerySet

from dashboard.api.addresses import address, record_address, short_position, task_address
from dashboard.api.instants import iso
from dashboard.api.letterfilter import letters
from dashboard.api.paging import counted, cursor, page, position
from dashboard.api.problems import Problem
from dashboard.models import DeadLetter, Rejected

PLACE: Final = re.compile("[dr][0-9]{1,18}")
STATES: Final = tuple(DeadLetter.State.values)


def letter_page(query: str, after: str | None, limit: int, now: int) -> dict[str, Any]:
    """One page of both kinds that a query line asks for at `now` (µs). Raises Problem 400."""
    dead, rejected = letters(query, now)
    key = position(after, int, str)
    if key is not None and not PLACE.fullmatch(key[1]):
        raise Problem(400, "bad_cursor", "The cursor cannot be read. Start again without one.")
    found = [
        *(((each.at, f"d{each.pk}"), dead_row(each)) for each in _newest(dead, "d", key, limit)),
        *(((each.at, f"r{each.pk}"), rejected_row(each)) for each in _newest(rejected, "r", key, limit)),
    ]
    found.sort(key=lambda pair: pair[0], reverse=True)
    following = cursor(*found[limit - 1][0]) if len(found) > limit else None
    return page([row for _, row in found[: limit + 1]], limit, following)


def _newest(found: QuerySet[Any], mark: str, key: list[Any] | None, limit: int) -> list[Any]:
    """The next rows of one table behind the cursor; both tables share one order (at, kind and number)."""
    if key is not None:
        at, place = int(key[0]), str(key[1])
        same = Q(at=at, pk__lt=int(place[1:])) if place[:1] == mark else Q(at=at) if mark < place[:1] else Q(pk__in=[])
        found = found.filter(Q(at__lt=at) | same)
    return list(found.defer("record").order_by("-at", "-pk")[: limit + 1])


def dead_row(letter: DeadLetter) -> dict[str, Any]:
    """A record that an agent gave up."""
    origin = letter.origin_topic and letter.origin_partition is not None and letter.origin_offset is not None
    text = ": ".join(part for part in (letter.exception, letter.message) if part)
    state = "open" if letter.state == DeadLetter.State.OPEN else letter.state
    return {
        "kind": "letter",
        "id": f"d{letter.pk}",
        "revision": letter.resolved_at or letter.at,
        "order": [-letter.at, f"d{letter.pk}"],
        "sort": "dead",
        "sign": {"sign": "dead" if state == "open" else "done", "label": "dead-lettered" if state == "open" else state},
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "position": short_position(letter.topic, letter.partition, letter.offset),
        "url": record_address(letter.topic, letter.partition, letter.offset),
        "origin": short_position(letter.origin_topic, letter.origin_partition or 0, letter.origin_offset or 0)
        if origin
        else "",
        "origin_url": record_address(letter.origin_topic, letter.origin_partition, letter.origin_offset),
        "at": iso(letter.at),
        "stage": letter.stage or "agent",
        "reason": text or "no error text was sent",
        "event_name": letter.event_name,
        "agent_group": letter.agent_group,
        "run_id": letter.run_id,
        "run_url": address("runs", letter.run_id) if letter.run_id else None,
        "task_id": letter.task_id,
        "task_url": task_address(letter.run_id, letter.task_id) if letter.run_id and letter.task_id else None,
        "deliveries": letter.deliveries,
        "redrives": letter.redrives,
        "fingerprint": letter.fingerprint,
        "choosable": state == "open",
        "state": state,
    }


def rejected_row(rejected: Rejected) -> dict[str, Any]:
    """A record that is no event."""
    return {
        "kind": "letter",
        "id": f"r{rejected.pk}",
        "revision": rejected.at,
        "order": [-rejected.at, f"r{rejected.pk}"],
        "sort": "rejected",
        "sign": {"sign": "failed", "label": "rejected"},
        "topic": rejected.topic,
        "partition": rejected.partition,
        "offset": rejected.offset,
        "position": short_position(rejected.topic, rejected.partition, rejected.offset),
        "url": record_address(rejected.topic, rejected.partition, rejected.offset),
        "origin": "",
        "origin_url": None,
        "at": iso(rejected.at),
        "stage": rejected.stage,
        "reason": rejected.reason,
        "attribute": rejected.attribute,
        "event_name": "",
        "agent_group": "",
        "run_id": "",
        "run_url": None,
        "task_id": "",
        "task_url": None,
        "deliveries": None,
        "redrives": 0,
        "fingerprint": rejected.fingerprint,
        "choosable": False,
        "state": "kept",
    }


def letter_figures() -> dict[str, int]:
    """How many are open, redriven, discarded, rejected, as `counted` says."""
    counts = {state: counted(DeadLetter.objects.filter(state=state)) for state in STATES}
    return counts | {"rejected": counted(Rejected.objects.all())}
