"""Rules that raise the risk of a request, whatever its agent claims (approvals.md, rule 8).

They stand in `risk-rules.json` in STATE: a JSON array of objects with `name`, `version`, `at_least` (low, medium,
high, critical) and what must match: `action` (its name), `agent_group`, `irreversible`, `without_preview`. The file
is read again when it changes. A file that cannot be read makes every request high: a rule that is not understood
must not lower anything.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings

from coordination.approvals import RiskRule, effective_risk
from coordination.requests import Request

FILE: Final = "risk-rules.json"
BUILT_IN: Final = (RiskRule(name="incomplete preview", version=1, at_least="medium", without_preview=True),)
UNREADABLE: Final = RiskRule(name=f"{FILE} cannot be read", version=1, at_least="high")


def risk_of(request: Request) -> tuple[str, tuple[str, ...]]:
    """(effective risk, reasons) of a request: the highest of the claim and all matching rules."""
    action = request.action if isinstance(request.action, dict) else {}
    # Without a preview the arguments themselves are shown, all of them.
    preview = request.preview if isinstance(request.preview, dict) else {"complete": True}
    risk, reasons = effective_risk(
        request.risk,
        rules(),
        action=str(action.get("name", "")),
        agent_group=request.agent_group,
        reversibility=request.reversibility,
        complete_preview=bool(preview.get("complete")),
    )
    return risk, (*reasons, *request.risk_reasons)


def rules() -> tuple[RiskRule, ...]:
    """The rules in force."""
    path = Path(settings.LINESIDE_STATE) / FILE
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return BUILT_IN
    return (*BUILT_IN, *_read(path, changed))


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> tuple[RiskRule, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[RiskRule, ...])
    except (OSError, msgspec.MsgspecError):
        return (UNREADABLE,)
