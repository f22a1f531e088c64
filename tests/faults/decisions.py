"""Requests for approval amid traffic, and whether every decision on them became of what was promised."""

from collections import Counter
from collections.abc import Iterator, Sequence

from coordination.approvals import content_hash
from coordination.encoding import new_event
from coordination.eventlog import NewRecord, Record
from coordination.manifest import Manifest
from dashboard.models import Decision
from dashboard.outbox import unpack
from tests.benchmarks.workload import START

State = Decision.State
SENT = (State.PUBLISHED, State.APPLIED, State.REFUSED)
NEVER = (State.LATE, State.UNDONE)


def with_requests(records: Sequence[NewRecord], every: int, manifest: Manifest) -> Iterator[NewRecord]:
    """The records, and after each so many of them a request that nobody in them answers."""
    for number, record in enumerate(records):
        yield record
        if number % every == 0:
            yield _request(number, manifest)


def _request(number: int, manifest: Manifest) -> NewRecord:
    action = {"name": "pay", "target": f"supplier {number}", "args": {"amount": f"{number}.50"}}
    return new_event(
        "approval.requested",
        source="/coord/agents/payer-1/x",
        agent_id="payer-1",
        agent_group="payer",
        time=START + number,
        id=f"asked-{number}",
        run_id=f"paying-{number // 50}",
        task_id=f"pay-{number}",
        data={
            "approval_id": f"pay-{number}",
            "request_version": 1,
            "content_hash": content_hash(action),
            "action": action,
            "allowed_decisions": ["approve", "reject"],
            "agent_group": "payer",
        },
        manifest=manifest,
    )


def agree_on_decisions(promised: set[str], records: Sequence[Record]) -> int:
    """Assert that each decision that was answered with a receipt is there, and that what each says stands on the log
    once, where the receipt says, or never if it came too late or was taken back. How many were sent."""
    rows = {row.decision_id: row for row in Decision.objects.all()}
    assert promised <= rows.keys(), "a decision that was answered with a receipt is gone"
    at = {(record.topic, record.partition, record.offset): record for record in records}
    ids = Counter(_id(record.headers) for record in records)
    for row in rows.values():
        said = unpack(row.records)
        assert row.state in (*SENT, *NEVER), f"{row.decision_id} is {row.state}: {row.error}"
        times = {ids[_id(one.headers)] for one in said}
        assert times == {int(row.state in SENT)}, (
            f"{row.decision_id} is {row.state} and stands {times} times on the log"
        )
        places = [tuple(place[:3]) for place in row.positions]
        if row.state in SENT:
            found = [(at[place].key, at[place].value) for place in places]
            assert found == [(one.key, one.value) for one in said], f"{row.decision_id} is not where its receipt says"
    return sum(row.state in SENT for row in rows.values())


def _id(headers: Sequence[tuple[str, bytes]]) -> bytes:
    return next((value for name, value in headers if name == "ce_id"), b"")
