"""What an approval's review shows to whoever does not decide: nothing of what it carries without the right to
payloads, and with it what masking leaves. Who decides sees all of it, because the decision is about all of it.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from coordination.requests import Request as RequestRow
from dashboard.api.argdiff import listing
from dashboard.api.requestrows import title_of
from dashboard.events import event_at, record_at
from dashboard.masking import MASK, Rules, classified, masked_field
from dashboard.permissions import Person, may_decide, may_see_payloads
from dashboard.policies import rules

if TYPE_CHECKING:
    from dashboard.api.reviewpage import Review

NO_RIGHT = "You have no right to see what the agent wants to run."
MASKED = "Parts of what the agent wants to run are masked."
KIND = "approval.requested"


def as_seen(found: "Review", person: Person) -> "Review":
    """The review with what this person may see of the action."""
    masks = rules()
    if may_decide(person):
        return _unveiled(found) if len(masks) else found
    reasons, args = _shown(found, masks)
    request = msgspec.structs.replace(found.request, risk_reasons=reasons)
    if not may_see_payloads(person):
        return _without(msgspec.structs.replace(found, request=request), None, NO_RIGHT)
    if (reasons, args) == (found.request.risk_reasons, found.args) and not masks.classes:
        return found
    return _without(msgspec.structs.replace(found, request=request), args, MASKED)


def _shown(found: "Review", masks: Rules) -> tuple[tuple[str, ...], Any]:
    """The agent's reasons and arguments as the rules leave them."""
    reasons, action = list(found.request.risk_reasons), found.action | {"args": found.args}
    if masks.classes and _of_hidden_class(found.request, masks):
        return (MASK,) * len(reasons), MASK
    told = masked_field("risk_reasons", reasons, KIND, masks)
    shown = masked_field("action", action, KIND, masks)
    return tuple([MASK] * len(reasons) if told == MASK else told), MASK if shown == MASK else shown["args"]


def _of_hidden_class(request: RequestRow, masks: Rules) -> bool:
    """Whether the record that asks declares a class that is hidden; also where it is not at hand."""
    record = record_at(request.topic, request.partition, request.offset)
    return record is None or bool(classified(record, masks))


def _unveiled(found: "Review") -> "Review":
    """For who decides: also title and question as they were sent, which lists have without what masking hides."""
    request = found.request
    asked = event_at(request.topic, request.partition, request.offset)
    if asked is None or MASK not in (request.title, request.question):
        return found
    request = msgspec.structs.replace(request, title=asked.data.title or "", question=asked.data.question or "")
    return msgspec.structs.replace(found, request=request, row=found.row | {"title": title_of(request)})


def _without(found: "Review", args: Any, words: str) -> "Review":
    """The review with these arguments in place of the real ones, everywhere they stand."""
    action = {name: found.action.get(name, "") for name in ("name", "target")} | (
        {} if args is None else {"args": args}
    )
    listed = listing(args)
    changes = found.changes | {
        "changes": listed.changes if args is not None else (),
        "same": listed.same if args is not None else (),
        "more": listed.more if args is not None else 0,
        "arguments": (),
        "text": None,
        "old_head": "",
        "new_head": "Will run",
        "complete": False,
    }
    request = msgspec.structs.replace(found.request, preview=None, action=action)
    return msgspec.structs.replace(
        found, request=request, args=args, action=action, changes=changes, since=None, warnings=[words]
    )
