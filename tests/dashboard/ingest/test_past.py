"""The past is folded by the code that folds live: at any position, and to the end, where it is the live picture."""

import json
import random
from typing import Any

import pytest
from django.test import Client

from coordination.replay import in_order
from dashboard import past
from dashboard.events import decoded, records_of_run
from dashboard.models import DeadLetter, Request, Run
from dashboard.past import as_of, past_of
from dashboard.past import past as module
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold
from tests.dashboard.scenes import viewer
from tests.traffic import Traffic

PICTURES = ("", "/tasks?limit=100", "/folds", "/graph", "/joins", "/events?limit=100")
OF_TIME = ("/delays", "/timeline", "/breakdown")
# Revisions count batches, which are others; texts about waiting and ages hang on when somebody looks.
ASIDE = frozenset(("revision", "waiting", "since", "as_of", "now"))
# Whether a request is overdue hangs on it, too.
LATE = ASIDE | {"order", "group"}


@pytest.fixture(autouse=True)
def _forgotten():
    past.forget()
    yield
    past.forget()


@pytest.fixture
def runs(tables, append, drain, monkeypatch) -> list[Run]:
    """Runs in which everything happens, read as they would be; snapshots stand close together."""
    monkeypatch.setattr(module, "APART", 7)
    traffic = Traffic(11, odd=0.6, live_runs=3)
    for _ in range(3):
        append(traffic.records(600))
        assert drain()
    return list(Run.objects.order_by("run_id"))


def shown(picture: Any, aside: frozenset[str] = ASIDE) -> Any:
    """A picture without what is aside."""
    if isinstance(picture, dict):
        return {name: shown(value, aside) for name, value in picture.items() if name not in aside}
    return [shown(value, aside) for value in picture] if isinstance(picture, list) else picture


def asked(client: Client, run_id: str, call: str, at: str = "") -> Any:
    path, _, query = call.partition("?")
    parameters = dict(pair.split("=") for pair in query.split("&") if pair) | ({"at": at} if at else {})
    answer = client.get(f"/api/v1/runs/{run_id}{path}", parameters)
    assert answer.status_code == 200, answer.content
    return shown(json.loads(answer.content))


def requests_are_the_live_ones(client: Client) -> None:
    """Requests for approval and the events of the tasks that ask, as of the last position."""
    line = {"query": "state:pending,granted,denied,expired,withdrawn"}
    requests = list(Request.objects.values_list("run_id", "approval_id", "task_id")[:12])
    assert len(requests) == 12
    for run_id, approval_id, task_id in requests:
        last = {"at": in_order(decoded(records_of_run(run_id)))[-1].position.text()}
        for path, given in (
            ("approvals", line | {"run": run_id}),
            (f"approvals/{approval_id}", {}),
            (f"tasks/{task_id}/events", {"run": run_id}),
        ):
            live, then = (client.get(f"/api/v1/{path}", given | more).json() for more in ({}, last))
            assert shown(then, LATE) == shown(live, LATE), path
            assert live.get("items", [1])


def test_scrubbed_to_the_end_every_picture_is_the_live_one(runs: list[Run]) -> None:
    client = viewer()
    ended = 0
    assert len(runs) > 20
    for run in random.Random(5).sample(runs, 9):
        last = in_order(decoded(records_of_run(run.run_id)))[-1].position.text()
        calls = (*PICTURES, *(OF_TIME if run.ended_at is not None else ()))
        ended += run.ended_at is not None
        for call in calls:
            assert asked(client, run.run_id, call, last) == asked(client, run.run_id, call), (run.run_id, call)
    assert ended > 3
    assert DeadLetter.objects.exists()
    requests_are_the_live_ones(client)


def test_at_any_position_the_rows_are_those_of_one_fold_over_what_lies_before(runs: list[Run]) -> None:
    rng = random.Random(3)
    for run in rng.sample(runs, 8):
        placed = in_order(decoded(records_of_run(run.run_id)))
        records = {(one.topic, one.partition, one.offset): one for one in records_of_run(run.run_id)}
        for count in [rng.randint(1, len(placed)) for _ in range(5)]:  # to and fro
            before = [records[one.position[1:]] for one in placed[:count]]
            with as_of(run.run_id, placed[count - 1].position.text()) as moment:
                assert moment.place is not None
                assert moment.place.count == count
                assert rows_in_tables() == rows_of_fold(before)


def test_a_run_that_grows_is_read_on(tables, append, drain) -> None:
    traffic = Traffic(12, odd=0.5, live_runs=1)
    append(traffic.records(400))
    assert drain()
    run = Run.objects.order_by("-events")[0].run_id
    with past_of(run).known() as history:
        before = list(history.positions)
    append(traffic.records(400))
    assert drain()
    placed = in_order(decoded(records_of_run(run)))
    with past_of(run).known() as history:
        assert len(history) > len(before)
        assert history.positions == [one.position for one in placed]
        assert history.events(0, len(history)) == [one.event for one in placed]
