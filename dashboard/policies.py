"""Policies people state: what is masked in payloads, how long runs are kept. Kept in the database, changed in /admin/
or by `manage.py policy`, each change with before and after in the audit trail, in the same transaction.
"""

from typing import Any, Final

import msgspec
from django.db import transaction

from coordination.errors import CoordinationError
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.masking import Rules, parsed
from dashboard.models import Policy

MASKING: Final = "masking"
RETENTION: Final = "retention"


class BadPolicy(CoordinationError):
    """A policy that makes no sense; the message says what to write instead."""

    code = "bad_policy"


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long ended runs are kept, in days since they ended; None: for ever.

    `runs` rules completed runs, `failed` those that failed or were canceled, `approvals` those in which a person was
    asked; where several hold, the longest counts. `tools` rules records of tool and model calls of ended runs, `ops`
    records of no run: heartbeats, registrations, incidents.
    """

    runs: float | None = None
    failed: float | None = None
    approvals: float | None = None
    tools: float | None = None
    ops: float | None = None


def rules() -> Rules:
    """The masking rules in force."""
    row = Policy.objects.filter(name=MASKING).first()
    return parsed(row.value) if row is not None else Rules()


def retention() -> Retention:
    """The retention policy in force."""
    row = Policy.objects.filter(name=RETENTION).first()
    return msgspec.convert(row.value, Retention) if row is not None else Retention()


def keep_days() -> float | None:
    """The shortest time an ended run is kept, in days; None: for ever."""
    return retention().runs


def change(name: str, value: Any, by: str) -> Any:
    """State a policy anew. Raises BadPolicy. Returns what it was before, None if there was none."""
    wanted = checked(name, value)
    with transaction.atomic():
        row = Policy.objects.select_for_update().filter(name=name).first()
        before = row.value if row is not None else None
        fields = {"value": wanted, "changed_at": database_now(), "changed_by": by}
        Policy.objects.update_or_create(name=name, defaults=fields)
        enter(by, "policy.changed", f"policy/{name}", {"before": before, "after": wanted})
    return before


def checked(name: str, value: Any) -> Any:
    """The value as it is kept. Raises BadPolicy."""
    try:
        match name:
            case "masking":
                return msgspec.to_builtins(parsed(value))
            case "retention":
                found = msgspec.convert(value, Retention)
                if any(days is not None and days < 0 for days in msgspec.structs.astuple(found)):
                    raise BadPolicy("Days cannot be negative.")
                return msgspec.to_builtins(found)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadPolicy(f"The policy {name} makes no sense: {error}") from error
    raise BadPolicy(f"There is no policy {name}; there are {MASKING} and {RETENTION}.")
