"""POST events: what is appended, what is refused and why; nothing of a refused request is appended."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from coordination.eventlog import TopicPartition
from coordination.manifest import Manifest
from dashboard.eventlog import open_eventlog
from dashboard.models import ApiToken
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db(transaction=True)
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/agents/a",
    "type": "coordination.run.started",
    "time": "2026-09-21T14:13:20Z",
    "subject": "run/r-1",
    "correlationid": "r-1",
    "data": {"name": "hello"},
}


@pytest.fixture(autouse=True)
def _log(settings: Any, tmp_path: Any) -> None:
    settings.LINESIDE_LOG = f"sqlite:///{tmp_path / 'log.sqlite3'}"

    async def make() -> None:
        await open_eventlog().create_topics(Manifest(settings.LINESIDE_NAMESPACE).specs())

    async_to_sync(make)()


def agent(*scope: str, right: str = "steer_run") -> Client:
    secret = ApiToken.objects.issue(member("agent", right), "agent", list(scope), None)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def structured(client: Client, event: dict[str, Any]) -> Any:
    return client.post("/api/v1/events", json.dumps(event), content_type="application/cloudevents+json")


def length() -> int:
    async def ends() -> int:
        log = open_eventlog()
        topics = await log.topics()
        wanted = [TopicPartition(name, n) for name, info in topics.items() for n in range(info.partitions)]
        return sum(end.high for end in (await log.ends(wanted)).values())

    return int(async_to_sync(ends)())


def test_a_structured_event_is_appended_and_its_position_told() -> None:
    answer = structured(agent("events"), EVENT)
    assert answer.status_code == 202
    placed = answer.json()["items"][0]
    assert (placed["topic"], placed["offset"]) == ("coord.run.workflow.events", 0)
    assert length() == 1


def test_a_binary_event_is_appended() -> None:
    attributes = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"}
    answer = agent("events").post("/api/v1/events", {"name": "x"}, content_type="application/json", headers=attributes)
    assert answer.status_code == 202


def test_a_batch_keeps_its_order_and_is_appended_whole_or_not_at_all() -> None:
    client = agent("events")
    batch = [EVENT | {"id": f"e-{number}"} for number in range(3)]
    kind = "application/cloudevents-batch+json"
    answer = client.post("/api/v1/events", json.dumps(batch), content_type=kind)
    assert [placed["offset"] for placed in answer.json()["items"]] == [0, 1, 2]
    broken = client.post("/api/v1/events", json.dumps([EVENT, EVENT | {"id": ""}]), content_type=kind)
    assert broken.status_code == 400
    assert length() == 3


@pytest.mark.parametrize(
    ("change", "status", "attribute"),
    [({"id": ""}, 400, "id"), ({"time": "yesterday"}, 400, "time"), ({"data": {"name": 7}}, 422, "name")],
)
def test_a_malformed_event_names_the_attribute(change: dict[str, Any], status: int, attribute: str) -> None:
    answer = structured(agent("events"), EVENT | change)
    assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")
    assert attribute in answer.json()["attribute"]
    assert length() == 0


def test_only_the_dashboard_writes_decisions() -> None:
    event = EVENT | {"type": "coordination.task.resume.requested", "taskid": "t-1", "targetgroup": "g", "data": {}}
    answer = structured(agent("events"), event)
    assert (answer.status_code, answer.json()["code"]) == (403, "topic_denied")


def test_the_scope_and_the_right_are_needed() -> None:
    assert structured(agent("read"), EVENT).json()["code"] == "scope"


def test_a_token_of_somebody_without_the_right_appends_nothing() -> None:
    assert structured(agent("events", right="view_run"), EVENT).status_code == 403
    assert length() == 0


def test_without_a_token_nothing_is_appended() -> None:
    assert structured(Client(), EVENT).status_code == 401
