"""Joins of a run: how each stands, whom it still waits for, and where those inputs are."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from coordination.fanouts import FanOut as FanOutRow
from coordination.instants import rfc3339
from coordination.joins import JoinProgress, Missing
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.instants import iso
from dashboard.api.joinstands import standings
from dashboard.api.signs import bar, sign_of_state
from dashboard.models import FanOut

DECODER: Final = msgspec.json.Decoder(FanOutRow)
MOST: Final = 200
PORTS: Final = 5
LISTED: Final = 6
SIGN_OF_PLACE: Final = {
    "in broker": "requested",
    "received": "submitted",
    "running": "working",
    "retrying": "retry_wait",
    "in review": "input_required",
    "not produced": "unknown",
}
WORDS: Final = {
    "satisfied": "satisfied",
    "met": "met",
    "failed": "failed",
    "expired": "expired",
    "can complete": "can complete",
    "cannot complete": "cannot complete",
    "unknown": "not decided",
}
BAD: Final = ("failed", "expired", "cannot complete")


def join_page(run_id: str, fanout: str | None = None, ids: Collection[str] | None = None) -> dict[str, Any]:
    """The joins of a run, open ones first; `fanout` asks for one of them, `ids` for some."""
    found = FanOut.objects.filter(run_id=run_id)
    if fanout is not None:
        found = found.filter(fanout_id=fanout)
    if ids is not None:
        found = found.filter(fanout_id__in=sorted(ids)[:MOST])
    fan_outs = [DECODER.decode(each.body) for each in found.order_by("fanout_id")[:MOST]]
    rows = join_rows(run_id, fan_outs)
    return {"items": sorted(rows, key=lambda row: (row["decided"], row["order"])), "next": None}


def join_rows(run_id: str, fan_outs: list[FanOutRow]) -> list[dict[str, Any]]:
    """The rows of these fan-outs of one run."""
    stands = standings(run_id, fan_outs)
    return [join_row(each, stands[each.fanout_id]) for each in fan_outs]


def joins_by_id(run_id: str, ids: Sequence[str]) -> dict[str, JoinProgress]:
    """How these joins of a run stand, by fan-out id."""
    rows = [DECODER.decode(each.body) for each in FanOut.objects.filter(run_id=run_id, fanout_id__in=ids)]
    return standings(run_id, rows)


def join_row(fan_out: FanOutRow, stands: JoinProgress) -> dict[str, Any]:
    """One join: the API's fields, and the card's."""
    late, duplicates = len(stands.late), len(stands.duplicates)
    notes = [f"{late} came late" if late else "", f"{duplicates} claimed twice" if duplicates else ""]
    return {
        "kind": "join",
        "id": fan_out.fanout_id,
        "revision": fan_out.revision,
        "order": [fan_out.opened_at or 0, fan_out.fanout_id],
        "fanout_id": fan_out.fanout_id,
        "label": fan_out.title or fan_out.fanout_id,
        "rule": stands.rule,
        "rule_text": rule_words(stands),
        "expected": stands.expected,
        "known": stands.known,
        "arrived": stands.arrived,
        "completed": stands.completed,
        "tally": f"{stands.arrived:,} of {total_words(stands)}",
        "ports": ports(stands),
        "decided": stands.verdict in ("satisfied", "failed", "expired"),
        "arrived_text": ", ".join([tally(stands), *filter(None, notes)]),
        "counts": stands.counts,
        "bar": bar(stands.counts),
        "missing": [_missing(fan_out.run_id, each) for each in stands.missing[:LISTED]],
        "missing_count": stands.missing_count,
        "more_missing": max(0, stands.missing_count - LISTED),
        "late": late,
        "duplicates": duplicates,
        "verdict": stands.verdict,
        "verdict_at": iso(stands.verdict_at),
        "verdict_text": "" if stands.reason.startswith("the runtime said so") else stands.reason,
        "word": WORDS.get(stands.verdict, stands.verdict),
        "bad": stands.verdict in BAD,
        "deadline": iso(stands.deadline),
        "opened_at": iso(fan_out.opened_at),
    }


def tally(stands: JoinProgress) -> str:
    """How many arrived: `k of n`, or `k of ≥ n` while more may come."""
    return f"{stands.arrived:,} of {total_words(stands)} arrived"


def total_words(stands: JoinProgress) -> str:
    """The number of branches, `≥ n` while it is not known."""
    return f"≥ {stands.known:,}" if stands.expected is None else f"{stands.expected:,}"


def ports(stands: JoinProgress) -> list[str]:
    """Up to five ports: one per input of a small join, else one for what arrived and one for what is missing."""
    arrived, missing = stands.arrived, stands.missing_count
    if arrived + missing <= PORTS:
        return [""] * arrived + ["missing"] * missing
    return ["", "missing"] if missing else [""]


def rule_words(stands: JoinProgress) -> str:
    """The rule and what came of it: `all, satisfied`."""
    rule = stands.rule.replace("_", " ").replace("quorum(", "quorum of ").replace(")", "")
    return f"{rule}, {WORDS.get(stands.verdict, stands.verdict)}"


def _missing(run_id: str, missing: Missing) -> dict[str, Any]:
    place = missing.where
    position = place.topic and place.partition is not None and place.offset is not None
    at = short_position(place.topic, place.partition or 0, place.offset or 0) if position else ""
    dead = place.place == "dead-lettered"
    return {
        "index": missing.index,
        "task_id": missing.task_id or None,
        "name": f"/{missing.index}" if missing.index is not None else missing.task_id,
        "url": task_address(run_id, missing.task_id) if missing.task_id else None,
        "where": f"{place.place} at {at}" if at else place.place,
        "since": None if place.at is None else rfc3339(place.at),
        "record_url": record_address(place.topic, place.partition, place.offset),
        "sign": sign_of_state(SIGN_OF_PLACE.get(place.place, place.place), dead=dead),
    }
