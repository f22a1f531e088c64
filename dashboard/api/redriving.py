"""What people do with dead letters, as page and API post it: a dry run, then the order; and what became of it."""

import uuid
from typing import Any, Final

from django.db.models import Count, QuerySet

from dashboard.api.addresses import address, record_address, short_position, task_address
from dashboard.api.deciding import told
from dashboard.api.instants import iso
from dashboard.api.letterfilter import letters as filtered
from dashboard.api.paging import cursor, page, position
from dashboard.api.problems import Problem
from dashboard.clock import database_now
from dashboard.models import DeadLetter, Redrive, RedriveItem
from dashboard.permissions import Person, may_redrive, require
from dashboard.redrive import discard, plan_discard, plan_redrive, redrive
from dashboard.redrive.order import PlanChanged

SIGNS: Final[dict[str, str]] = {
    "saved": "waiting",
    "published": "waiting",
    "running": "running",
    "done": "done",
    "passed": "done",
    "failed": "failed",
    "dead again": "dead",
    "undeliverable": "failed",
}
ENDED: Final = ("done", "passed", "failed", "dead again", "undeliverable")


def chosen(query: str | None, ids: list[str], everything: bool) -> "QuerySet[DeadLetter]":
    """The letters meant: by id, by a query, or all. Raises Problem 400 if that is not said, or not understood."""
    if ids:
        numbers = [int(name[1:]) for name in ids if name[:1] == "d" and name[1:].isdigit()]
        if len(numbers) != len(ids):
            raise Problem(400, "bad_ids", "Dead letters have ids that begin with d; rejected records cannot go back.")
        return DeadLetter.objects.filter(pk__in=numbers)
    if not query and not everything:
        raise Problem(400, "nothing_chosen", "Say which letters: by ids, by a query, or all.")
    return filtered(query or "", database_now())[0]


def act(person: Person, body: Any) -> tuple[int, dict[str, Any]]:
    """A dry run (200), an order (202, or 200 if it was made before) or a discard (200).

    Raises Problem 409 with the new plan if the letters changed since the dry run; PermissionDenied.
    """
    require(person, may_redrive)
    letters = chosen(body.query, body.ids, body.all)
    if body.dry_run:
        now = database_now()
        found = plan_discard(letters) if body.act == "discard" else plan_redrive(letters, now)
        name = body.redrive_id or str(uuid.uuid4())
        return 200, {"dry_run": True, "act": body.act, "redrive_id": name, **found.row()}
    if not body.plan:
        raise Problem(400, "no_plan", "Make a dry run first and send its `plan`: that is what will be done.")
    said = {"plan": body.plan, "query": body.query or "", "reason": body.reason}
    try:
        if body.act == "discard":
            count = told(lambda: discard(letters, person, **said))
            return 200, {"dry_run": False, "act": "discard", "letters": count}
        if not body.redrive_id:
            raise Problem(400, "no_id", "Send a redrive_id, so that this order sent again is the same order.")
        made = told(lambda: redrive(letters, person, redrive_id=body.redrive_id, **said))
    except PlanChanged as changed:
        raise Problem(409, changed.code, str(changed), **changed.plan.row()) from changed
    return 202, redrive_row(made)


def redrive_rows(after: str | None, limit: int) -> dict[str, Any]:
    """The orders, newest first."""
    found = Redrive.objects.select_related("person").order_by("-at", "-redrive_id")
    key = position(after, int)
    if key is not None:
        found = found.filter(at__lt=int(key[0]))
    rows = list(found[: limit + 1])
    following = cursor(rows[limit - 1].at) if len(rows) > limit else None
    return page([redrive_row(row) for row in rows], limit, following)


def redrive_row(made: Redrive) -> dict[str, Any]:
    """One order, with the number of its letters in each state."""
    items = RedriveItem.objects.filter(redrive=made)
    counts = dict(items.order_by().values_list("state").annotate(Count("id")))
    total = sum(counts.values())
    left = total - sum(counts.get(state, 0) for state in ENDED)
    return {
        "kind": "redrive",
        "id": made.redrive_id,
        "revision": made.at,
        "order": [-made.at, made.redrive_id],
        "dry_run": False,
        "act": "redrive",
        "redrive_id": made.redrive_id,
        "url": address("redrives", made.redrive_id),
        "at": iso(made.at),
        "person": made.person.get_username(),
        "query": made.query,
        "reason": made.reason,
        "letters": total,
        "counts": counts,
        "bar": [[sign, count] for sign, count in _bar(counts)],
        "open": left,
        "standing": _standing(counts, total, left),
    }


def _bar(counts: dict[str, int]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for state, count in counts.items():
        sums[SIGNS[state]] = sums.get(SIGNS[state], 0) + count
    order = ("done", "running", "waiting", "failed", "dead")
    return [(sign, sums[sign]) for sign in order if sign in sums]


def _standing(counts: dict[str, int], total: int, left: int) -> str:
    parts = [f"{counts[state]:,} {state}" for state in ("done", "passed", "failed", "dead again") if counts.get(state)]
    parts += [f"{counts['undeliverable']:,} could not be put back"] if counts.get("undeliverable") else []
    parts += [f"{left:,} under way"] if left else []
    return f"{total:,} letter{'' if total == 1 else 's'}: {', '.join(parts)}"


def item_rows(made: Redrive, after: str | None, limit: int) -> dict[str, Any]:
    """The letters of an order as they went back, each with where it stands now and what became of it."""
    found = RedriveItem.objects.filter(redrive=made).select_related("letter", "again")
    key = position(after, int)
    if key is not None:
        found = found.filter(pk__gt=int(key[0]))
    rows = list(found.defer("letter__record", "again__record").order_by("pk")[: limit + 1])
    following = cursor(rows[limit - 1].pk) if len(rows) > limit else None
    return page([item_row(row) for row in rows], limit, following)


def item_row(item: RedriveItem) -> dict[str, Any]:
    """One letter of an order."""
    letter, again = item.letter, item.again
    place = None if item.offset is None else short_position(item.topic, item.partition, item.offset)
    return {
        "kind": "item",
        "id": str(item.pk),
        "revision": item.result_at or item.published_at or 0,
        "order": [item.pk],
        "sign": {"sign": SIGNS[item.state], "label": item.state},
        "state": item.state,
        "result": item.result,
        "letter": short_position(letter.topic, letter.partition, letter.offset),
        "letter_url": record_address(letter.topic, letter.partition, letter.offset),
        "topic": item.topic,
        "partition": item.partition,
        "offset": item.offset,
        "position": place or f"{item.topic}-{item.partition}",
        "position_url": record_address(item.topic, item.partition, item.offset),
        "published_at": iso(item.published_at),
        "result_at": iso(item.result_at),
        "agent_group": letter.agent_group,
        "task_id": letter.task_id,
        "task_url": task_address(letter.run_id, letter.task_id) if letter.run_id and letter.task_id else None,
        "again": short_position(again.topic, again.partition, again.offset) if again else "",
        "again_url": record_address(again.topic, again.partition, again.offset) if again else None,
    }
