"""The whole row of a task out of its body."""

from typing import Final

import msgspec

from coordination.tasks import Task as TaskRow
from dashboard.models import Task

DECODER: Final = msgspec.json.Decoder(TaskRow)


def task_of(row: Task) -> TaskRow:
    """Everything known of a task; the columns beside the body say less."""
    return DECODER.decode(row.body)
