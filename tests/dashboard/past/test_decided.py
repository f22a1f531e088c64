"""What people had decided of a run at an instant: a decision stands as far as it had come, votes count from when they
were cast, and the API answers about requests as of a position."""

from collections.abc import Iterator
from typing import Any

import pytest

from coordination.approvals import content_hash
from dashboard import past
from dashboard.models import Approval, Decision, Request, Step, Vote
from dashboard.past import decided
from tests.dashboard.cast import PAY
from tests.dashboard.recordings import Recording
from tests.dashboard.scenes import NOW, SECOND, member, run, signed_in

pytestmark = pytest.mark.django_db
SAVED, PUBLISHED, APPLIED = NOW + 5 * SECOND, NOW + 6 * SECOND, NOW + 8 * SECOND


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    past.forget()
    yield
    past.forget()


def decision(**fields: Any) -> Decision:
    given: dict[str, Any] = {
        "decision_id": "d-1",
        "approval_id": "ask-1",
        "run_id": "run-1",
        "version": 1,
        "verdict": "approve",
        "records": b"bytes",
        "state": "applied",
        "saved_at": SAVED,
        "published_at": PUBLISHED,
        "positions": [["coord.run.decision.commands", 4, 0, PUBLISHED]],
        "applied_at": APPLIED,
    } | fields
    return Decision.objects.create(**given)


def stand(at: int | None) -> list[tuple[str, int | None, int | None]]:
    return [(one.state, one.published_at, one.applied_at) for one in decided.decisions("run-1", at)]


def test_a_decision_stands_as_far_as_it_had_come() -> None:
    decision()
    assert stand(SAVED - 1) == []
    assert stand(SAVED) == [("saved", None, None)]
    assert stand(PUBLISHED) == [("published", PUBLISHED, None)]
    assert stand(APPLIED) == stand(None) == [("applied", PUBLISHED, APPLIED)]


def test_a_refusal_is_known_from_when_it_came() -> None:
    decision(state="refused", applied_at=None, refused_at=APPLIED, refused_reason="late")
    before, after = (next(iter(decided.decisions("run-1", at))) for at in (PUBLISHED, APPLIED))
    assert (before.state, before.refused_reason) == ("published", "")
    assert (after.state, after.refused_reason) == ("refused", "late")


@pytest.mark.parametrize(("state", "column"), [("late", "valid_until"), ("undone", "held_until")])
def test_what_was_never_sent_could_be_until_its_time_was_over(state: str, column: str) -> None:
    decision(state=state, published_at=None, positions=[], applied_at=None, **{column: PUBLISHED})
    assert stand(SAVED)[0][0] == "saved"
    assert stand(PUBLISHED)[0][0] == state


def asked() -> None:
    """A request at the third second, decided at the fifth, and a task that ends at the last."""
    log = Recording()
    log.say("task.requested", {"task_type": "pay"}, target_group="payer")
    log.say("task.started", attempt=1)
    log.say("task.progressed", {"progress": 0.1}, attempt=1)
    ask = {"approval_id": "ask-1", "request_version": 1, "content_hash": content_hash(PAY), "action": PAY}
    log.say("approval.requested", ask | {"allowed_decisions": ["approve", "reject"]}, attempt=1)
    for part in (0.2, 0.3, 0.4, 0.5, 0.6):
        log.say("task.progressed", {"progress": part}, attempt=1)
    log.store()
    run()
    given = {"run_id": "run-1", "task_id": "task-1", "version": 1, "revision": 1, "body": "{}"}
    Request.objects.create(approval_id="ask-1", **given)
    of_run = {"approval_id": "ask-1", "run_id": "run-1", "version": 1}
    Approval.objects.create(**of_run, state="granted", decided_at=SAVED, decided_by="ana")
    person = member("ana", "view_approval")
    Vote.objects.create(approval_id="ask-1", version=1, person=person, verdict="approve", at=SAVED - SECOND)
    Step.objects.create(approval_id="ask-1", version=1, step="foreign:coord.x-0@1", at=PUBLISHED)
    decision(person=person)


def test_requests_are_answered_as_of_a_position_with_votes_and_receipt() -> None:
    asked()
    client = signed_in(member("eve", "view_approval", "view_segment", "view_run"))

    def at(offset: int, path: str = "/ask-1", **more: str) -> Any:
        position = f"coord.run.task.events-4@{offset}"
        return client.get(f"/api/v1/approvals{path}", {"at": position} | more)

    # Offsets of task events: started 0, then one each second but the one of the request.
    assert at(1).status_code == 404
    assert at(1, "", run="run-1").json()["items"] == []
    first = at(2).json()
    assert (first["state"], first["receipt"]) == ("pending", None)
    assert [vote["person"] for vote in first["votes"]] == ["ana"]
    assert [row["approval_id"] for row in at(2, "", run="run-1").json()["items"]] == ["ask-1"]
    saved = at(3).json()
    assert (saved["state"], saved["receipt"]["stage"], saved["receipt"]["by"]) == ("granted", "Saved", "ana")
    assert saved["foreign"] == []
    assert at(3, "", run="run-1").json()["items"] == []
    assert [row["approval_id"] for row in at(3, "", run="run-1", state="decided").json()["items"]] == ["ask-1"]
    published = at(4).json()
    assert (published["receipt"]["stage"], published["foreign"]) == ("Published", ["coord.x-0@1"])
    assert at(6).json()["receipt"]["stage"] == "Applied"


def test_a_position_needs_its_run() -> None:
    asked()
    client = signed_in(member("eve", "view_approval"))
    answer = client.get("/api/v1/approvals", {"at": "coord.run.task.events-4@1"})
    assert (answer.status_code, "run=" in answer.json()["detail"]) == (400, True)
    assert client.get("/api/v1/approvals", {"at": "x-0@1", "run": "run-1"}).status_code == 400
    assert client.get("/api/v1/approvals", {"run": "nix"}).status_code == 404
