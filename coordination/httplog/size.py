"""The limit on what one question may carry where it cannot be parted."""

from collections.abc import Sequence

from coordination.errors import RecordTooLarge
from coordination.eventlog import NewRecord, record_bytes
from coordination.logmessages import MAX_QUESTION_BYTES


def check_size(records: Sequence[NewRecord]) -> None:
    """Raise RecordTooLarge when the records of one transaction do not fit into one question."""
    size = sum(record_bytes(record) for record in records)
    if size > MAX_QUESTION_BYTES:
        raise RecordTooLarge(
            f"A transaction over HTTP holds at most {MAX_QUESTION_BYTES} bytes of records, not {size}. Commit in "
            "smaller steps, or put large data elsewhere and refer to it by dataref."
        )
