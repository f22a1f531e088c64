"""The receipt of a decision as lists and pages show it: three stops on the line, and what went wrong in one sentence.

Never a tick ahead of the fact: saved here, published on the log (read back), applied or refused by the agent. The
sentences are those a reviewer is promised (approvals.md, the failure table); instants in them stand as RFC 3339,
for the page to write in the reader's zone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coordination.receipts import Receipt
from dashboard.api.addresses import address, task_address
from dashboard.api.instants import iso, to_second
from dashboard.models import Decision

Row = dict[str, Any]
State = Decision.State
WORDS: Final = {"approve": "granted", "edit": "granted with edits", "reject": "rejected", "respond": "answered"}
NEVER_SENT: Final[dict[str, str]] = {
    State.LATE: "Not sent in time",
    State.UNDONE: "Undone",
    State.UNDELIVERABLE: "Cannot be delivered",
}
REFUSALS: Final = {
    "late": "it came after its time",
    "superseded": "another attempt or version replaced the one it was for",
    "hash_mismatch": "what would run is not what was approved",
    "bad_signature": "its signature is not that of a key the agent trusts",
    "duplicate": "it was applied before",
    "withdrawn": "the agent does not wait for it any more",
}


def receipt_row(
    decision: Decision,
    answers: Sequence[Receipt] = (),
    revoke: Decision | None = None,
    silence: Mapping[str, Any] | None = None,
) -> Row:
    """The receipt of one decision. `revoke` is what was asked about it later; `silence` names the agent's group and
    how many tasks wait before it, to be told while it has not answered."""
    found = {each.outcome: each for each in answers if each.decision_id == decision.decision_id}
    applied, refused = found.get("applied"), found.get("refused")
    applied_at = decision.applied_at or (applied.at if applied else None)
    refused_at = decision.refused_at or (refused.at if refused and applied_at is None else None)
    reason = decision.refused_reason or (refused.reason if refused else "")
    place = _published(decision)
    why = _why(reason, refused.detail if refused else "", refused_at)
    waits = place is not None and applied_at is None and refused_at is None
    return {
        "decision_id": decision.decision_id,
        "decision": decision.verdict,
        "word": WORDS.get(decision.verdict, decision.verdict),
        "by": by_whom(decision),
        "rule": _rule(decision),
        "state": decision.state,
        "saved_at": iso(decision.saved_at),
        "held_until": iso(decision.held_until or None),
        "valid_until": iso(decision.valid_until),
        "published": place,
        "applied_at": iso(applied_at),
        "refused": {"reason": reason, "at": iso(refused_at)} if refused_at is not None else None,
        "error": decision.error,
        "mode": str(decision.provenance.get("delivery", "")),
        "order": [-decision.saved_at],
        "text": _text(decision, why),
        "counts_down": decision.state == State.SAVED and bool(decision.error),
        "silent": _silent(place, silence) if waits and place else None,
        "revocation": _revocation(decision, found, revoke, applied_at),
        "revocable": waits and revoke is None and decision.state == State.PUBLISHED,
        **_stage(decision, place, applied_at, refused_at),
        "stops": _stops(decision, place, applied_at, refused_at),
    }


def by_whom(decision: Decision) -> str:
    """The person, the policy rule with its version, or expiry."""
    if decision.person:
        return decision.person.get_username()
    rule = _rule(decision)
    return f"rule {rule['name']}, version {rule['version']}" if rule else str(decision.provenance.get("by", ""))


def _rule(decision: Decision) -> Row | None:
    name = decision.provenance.get("policy_rule")
    return {"name": name, "version": decision.provenance.get("policy_rule_version")} if name else None


def _stage(decision: Decision, place: Row | None, applied_at: int | None, refused_at: int | None) -> Row:
    """The furthest stop in one word, with its sign."""
    if applied_at is not None:
        return {"stage": "Applied", "sign": {"sign": "done", "label": "applied"}}
    if refused_at is not None:
        return {"stage": "Refused", "sign": {"sign": "failed", "label": "refused"}}
    if decision.state in NEVER_SENT:
        return {"stage": NEVER_SENT[decision.state], "sign": {"sign": "failed", "label": NEVER_SENT[decision.state]}}
    if place:
        return {"stage": "Published", "sign": {"sign": "running", "label": "published"}}
    return {"stage": "Saved", "sign": {"sign": "waiting", "label": "saved"}}


def _published(decision: Decision) -> Row | None:
    if decision.published_at is None or not decision.positions:
        return None
    places = [place for place in decision.positions if str(place[0]).endswith(".decision.commands")]
    topic, partition, offset, *rest = (places or decision.positions)[0]
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": iso(rest[0] if rest else decision.published_at),
        "position": f"{partition}@{offset}",
        "url": address("records", topic, partition, offset),
    }


def _why(reason: str, detail: str, at: int | None) -> str:
    """Why the agent refused: its own sentence, else ours for its word; and when. Empty if it did not refuse."""
    if at is None:
        return ""
    words = detail.rstrip(". ") or REFUSALS.get(reason, reason)
    return f"{words[:1].lower()}{words[1:]} at {to_second(at)}"


def _text(decision: Decision, why: str) -> str:
    """What went wrong, in one sentence; empty while all is well."""
    error = decision.error.rstrip()
    if decision.state == State.LATE:
        return "Not sent in time. The agent was not given permission."
    if decision.state == State.UNDONE:
        return "Undone before it was sent."
    if decision.state == State.UNDELIVERABLE:
        return f"Saved; cannot be delivered: {error}"
    if decision.state == State.SAVED and error:
        return f"Saved {to_second(decision.saved_at)}. Not sent yet: {error} It will be sent by itself."
    return f"Published, but refused: {why}." if why else ""


def _silent(place: Row, silence: Mapping[str, Any] | None) -> Row:
    """What is told when the agent does not answer: since when, who, and the tasks before it."""
    group = str((silence or {}).get("group") or "")
    waiting = (silence or {}).get("waiting")
    url = address("agents", group) if group else None
    return {"position": place["position"], "since": place["at"], "group": group, "waiting": waiting, "url": url}


def _revocation(
    decision: Decision, found: Mapping[str, Receipt], revoke: Decision | None, applied_at: int | None
) -> Row | None:
    """What became of the wish that the decision should not be applied."""
    late, revoked = found.get("too_late"), found.get("revoked")
    if revoked is not None:
        return {"text": f"Revoked {to_second(revoked.at)}. The agent will not act on it.", "url": None, "link": ""}
    if late is not None:
        undo = late.compensation_task_id
        done = f"Already executed {to_second(applied_at if applied_at is not None else late.at)}."
        url = task_address(decision.run_id, undo or decision.task_id)
        return {"text": done, "url": url, "link": "Compensation task" if undo else "Compensate the task"}
    if revoke is None:
        return None
    return {"text": "Asked the agent not to act on it; no answer yet.", "url": None, "link": ""}


def _stop(name: str, state: str, **more: Any) -> Row:
    return {"name": name, "stop": state, "at": None, "position": "", "url": None, **more}


def _stops(decision: Decision, place: Row | None, applied_at: int | None, refused_at: int | None) -> list[Row]:
    saved = _stop("Saved", "done", at=iso(decision.saved_at))
    return [saved, _second(decision, place), _third(applied_at, refused_at)]


def _second(decision: Decision, place: Row | None) -> Row:
    if place:
        return _stop("Published", "done", at=place["at"], position=place["position"], url=place["url"])
    if decision.state in NEVER_SENT:
        return _stop(NEVER_SENT[decision.state], "held" if decision.state == State.UNDONE else "bad")
    return _stop("Published", "held" if decision.error else "todo")


def _third(applied_at: int | None, refused_at: int | None) -> Row:
    if applied_at is not None:
        return _stop("Applied", "done", at=iso(applied_at))
    if refused_at is not None:
        return _stop("Refused", "bad", at=iso(refused_at))
    return _stop("Applied", "todo")
