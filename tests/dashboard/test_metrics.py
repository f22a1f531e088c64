"""/metrics is for those who are signed in or hold a token, and tells what the tables say."""

import pytest
from django.contrib.auth.models import Group
from prometheus_client.parser import text_string_to_metric_families

from dashboard.clock import database_now
from dashboard.models import ApiToken, ConsumerGroup, Gap, Position, Worker
from tests.dashboard.scenes import member

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return member("mona", "view_run")


def told(response) -> dict[str, float]:
    assert response.status_code == 200
    return {
        sample.name + str(sorted(sample.labels.items()) or ""): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_strangers_see_nothing(client):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.post("/metrics").status_code in (401, 405)


def test_a_token_needs_the_scope_read(client, user):
    for scope, status in ((["read"], 200), (["events"], 401)):
        _, secret = ApiToken.objects.issue(user, "t", scope, None)
        assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status
    _, secret = ApiToken.objects.issue(user, "old", ["read"], database_now() - 1)
    assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_a_right_is_needed_to_what_is_of_all_tenants(client, user):
    stranger = member("eve")
    client.force_login(stranger)
    assert client.get("/metrics").status_code == 403
    Group.objects.create(name="tenant:acme").user_set.add(user)
    client.force_login(user)
    assert client.get("/metrics").status_code == 403


def test_it_tells_what_the_tables_say(client, user):
    now = database_now()
    Position.objects.create(topic="t", partition=0, next_offset=7, records=6, shard="12-0", end_offset=10, end_at=now)
    Gap.objects.create(
        topic="t", partition=0, shard="12-0", kind="truncated", expected_offset=1, message="", found_at=1
    )
    figures = {"batches": 4, "batch_seconds": 0.5}
    Worker.objects.create(worker_id="w", role="ingest", started_at=1, lease_until=now + 10**7, figures=figures)
    ConsumerGroup.objects.create(
        group="agent.a", agent_group="a", taken_at=now, waiting=12, age_ms=3_500, verdict="behind", body="{}"
    )
    ConsumerGroup.objects.create(group="agent.b", agent_group="b", taken_at=now, body="{}")
    ConsumerGroup.objects.create(group="foreign", taken_at=now, waiting=5, body="{}")
    client.force_login(user)
    figures = told(client.get("/metrics"))
    assert figures["lineside_ingest_records_total"] == 6
    assert figures["lineside_ingest_behind_records"] == 3
    assert figures["lineside_gaps"] == 1
    assert figures["lineside_workers[('role', 'ingest')]"] == 1
    assert figures["lineside_ingest_batch_seconds_sum[('worker', 'w')]"] == 0.5
    assert figures["lineside_group_waiting_tasks[('group', 'agent.a')]"] == 12
    assert figures["lineside_group_age_seconds[('group', 'agent.a')]"] == 3.5
    assert figures["lineside_group_verdict[('group', 'agent.a'), ('verdict', 'behind')]"] == 1
    # What is not known is left out, and so is a group of which no agent is a member.
    assert "lineside_group_waiting_tasks[('group', 'agent.b')]" not in figures
    assert "lineside_group_waiting_tasks[('group', 'foreign')]" not in figures
    assert figures["lineside_live_sockets"] == 0
    assert figures["lineside_decisions[('stage', 'saved')]"] == 0
