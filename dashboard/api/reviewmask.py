"""What an approval's review shows to whoever does not decide: nothing of what it carries without the right to
payloads, and with it what masking leaves. Who decides sees all of it, because the decision is about all of it.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from dashboard.api.argdiff import listing
from dashboard.masking import masked_data
from dashboard.permissions import Person, may_decide, may_see_payloads
from dashboard.policies import rules

if TYPE_CHECKING:
    from dashboard.api.reviewpage import Review

NO_RIGHT = "You have no right to see what the agent wants to run."
MASKED = "Parts of what the agent wants to run are masked."
KIND = "approval.requested"


def as_seen(found: "Review", person: Person) -> "Review":
    """The review with what this person may see of the action."""
    if may_decide(person):
        return found
    if not may_see_payloads(person):
        return _without(found, None, NO_RIGHT)
    masks = rules()
    shown = masked_data({"action": found.action | {"args": found.args}}, KIND, masks)
    if not shown.hidden and not masks.classes:
        return found
    return _without(found, shown.value["action"].get("args"), MASKED)


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
