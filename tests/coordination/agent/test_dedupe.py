"""Idempotency as a table: what a command is, given what is remembered."""

from typing import Any

import pytest

from coordination.agent.dedupe import fingerprint_of, verdict
from coordination.agent.handled import Handled
from coordination.agent.ledger import Shelf
from coordination.event import Event

SCOPE = "default|coordination.task.requested"


def event(task_id: str = "t", event_id: str = "e", key: str = "k", offset: int = 9, tenant: str = "default") -> Event:
    return Event(
        id=event_id,
        source="/s",
        type="coordination.task.requested",
        name="task.requested",
        known=True,
        time=0,
        at=0,
        task_id=task_id,
        idempotency_key=key,
        tenant=tenant,
        offset=offset,
    )


def shelf(status: str = "completed", **changes: Any) -> Shelf:
    fields: dict[str, Any] = {
        "group": "g",
        "kind": "task",
        "key": "t",
        "status": status,
        "topic": "c",
        "partition": 0,
        "offset": 9,
        "updated_at": 0,
        "seen": [("/s", "e")],
        "idempotency": (SCOPE, "k", "f"),
    }
    made = Shelf()
    made.keep(Handled(**(fields | changes)))
    return made


@pytest.mark.parametrize(
    ("given", "remembered", "fingerprint", "expected"),
    [
        (event(), Shelf(), "f", "new"),
        (event(), shelf("working"), "f", "duplicate"),
        (event(), shelf("completed"), "f", "duplicate"),
        (event(offset=10), shelf("completed"), "f", "duplicate"),
        (event(offset=10), shelf("canceled"), "f", "duplicate"),
        (event(offset=9), shelf("failed"), "f", "duplicate"),
        (event(offset=10), shelf("failed"), "f", "redriven"),
        (event(offset=10), shelf("rejected"), "f", "redriven"),
        (event(offset=10), shelf("expired"), "f", "redriven"),
        (event(offset=10), shelf("retry_wait"), "f", "duplicate"),
        (event(event_id="other"), shelf(), "f", "duplicate"),
        (event(event_id="other"), shelf(), "g", "conflict"),
        (event(event_id="other", offset=10), shelf("failed"), "f", "duplicate"),
        (event(task_id="u"), shelf(), "f", "copy"),
        (event(task_id="u"), shelf(), "g", "conflict"),
        (event(task_id="u", key="other"), shelf(), "f", "new"),
        (event(task_id="u", key=""), shelf(), "f", "new"),
        (event(task_id="u", tenant="other"), shelf(), "f", "new"),
        (event(), shelf("canceled", seen=[], idempotency=None), "f", "canceled"),
    ],
)
def test_a_command_is_recognised(given: Event, remembered: Shelf, fingerprint: str, expected: str) -> None:
    assert verdict(given, remembered, fingerprint)[0] == expected


def test_a_fingerprint_is_that_of_the_content_not_of_its_spelling() -> None:
    assert fingerprint_of(b'{"a": 1, "b": [1.0]}') == fingerprint_of(b'{"b":[1],"a":1}')
    assert fingerprint_of(b'{"a": 1}') != fingerprint_of(b'{"a": 2}')


def test_what_has_no_canonical_form_is_compared_by_its_bytes() -> None:
    big = b'{"a": 18014398509481984}'
    assert fingerprint_of(big) == fingerprint_of(big) != fingerprint_of(big + b" ")
