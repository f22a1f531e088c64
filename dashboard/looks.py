"""Looks behind the mask: each is entered in the audit trail before anything is shown."""

from typing import Any, cast

from django.contrib.auth.models import User

from coordination.eventlog import StoredRecord
from dashboard.approvals.persons import voter_of
from dashboard.audit import enter
from dashboard.permissions import Person, may_unmask, require


def note_unmasking(person: Person, record: StoredRecord) -> None:
    """Somebody looks at a record without its mask. Raises PermissionDenied; what cannot be entered is not shown."""
    require(person, may_unmask)
    where = f"record/{record.topic}-{record.partition}@{record.offset}"
    enter(voter_of(cast("User", person)), "payload.unmasked", where, _named(record))


def _named(record: StoredRecord) -> dict[str, Any]:
    """Of what and whose: its type, its run, its task, as the envelope names them."""
    told = {"ce_type": "type", "ce_correlationid": "run_id", "ce_taskid": "task_id"}
    found = {told[name.lower()]: value for name, value in record.headers if name.lower() in told}
    return {name: value.decode(errors="replace") for name, value in found.items()}
