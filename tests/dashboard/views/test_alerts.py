"""The page of alerts: open ones first, a silence with an end."""

import pytest

from dashboard.alerts import look
from dashboard.api.health import health_row
from dashboard.clock import database_now
from dashboard.models import Silence
from tests.dashboard.scenes import group, member, signed_in, viewer

pytestmark = pytest.mark.django_db


def test_an_open_incident_is_shown_with_its_cause_and_where_to_look() -> None:
    group("payer", taken_at=database_now())
    look()
    page = viewer().get("/alerts/").content
    assert b"payer is stuck" in page
    assert b"12 wait and none started" in page
    assert b'href="/agents/payer/"' in page
    assert viewer_health() == 1


def viewer_health() -> int:
    count: int = health_row()["counts"]["alerts"]
    return count


def test_it_can_be_silenced_by_whoever_may() -> None:
    group("payer", taken_at=database_now())
    look()
    viewer().post("/alerts/", {"kind": "stalled", "subject": "payer", "minutes": "60"})
    assert Silence.objects.get().subject == "payer"
    assert viewer_health() == 0
    eve = signed_in(member("eve", "view_groupsnapshot", "view_all_tenants"))
    eve.post("/alerts/", {"kind": "stalled", "subject": "x", "minutes": "60"})
    assert Silence.objects.count() == 1


def test_nothing_wrong_says_so() -> None:
    assert b"Nothing to look at" in viewer().get("/alerts/").content
