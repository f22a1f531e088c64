"""Readiness: never a score without evidence or an answer; answers are kept, audited, and bounded by facts."""

import msgspec
import pytest
from django.contrib.auth.models import Group
from django.test import Client

from dashboard.models import Audit, ReadinessAnswer
from dashboard.permissions import ensure_roles
from tests.dashboard.scenes import member, run, signed_in, task, viewer

pytestmark = pytest.mark.django_db
ANSWER = {"question": "governance", "score": "4", "reason": "prompts name customers"}


def auditor() -> Client:
    ensure_roles()
    user = member("olga")
    user.groups.add(Group.objects.get(name="auditor"))
    return signed_in(user)


def test_an_empty_installation_has_no_score_at_all() -> None:
    page = viewer().get("/readiness/")
    assert page.status_code == 200
    assert [each.score for each in page.context["scores"]] == [None] * 6
    assert "0 of 6" in page.context["verdict"]
    assert all(area["sign"]["label"] != "proven here" for area in page.context["areas"])
    assert [area["name"] for area in page.context["areas"]] == [
        "Compatibility", "Ordering", "Retention", "Scaling", "Cost", "Governance", "Rollback",
    ]  # fmt: skip


def test_what_the_log_proves_is_computed_with_its_facts() -> None:
    run()
    for number in range(3):
        task(f"task-{number}", **({} if number else {"command_topic": ""}))
    found = {each.dimension.key: each for each in viewer().get("/readiness/").context["scores"]}
    assert (found["criticality"].score, found["criticality"].basis) == (3, "computed")
    assert ("Handed over by a command on the log", "2") in found["criticality"].facts


def test_an_answer_is_kept_with_its_reason_and_entered_with_what_was_before() -> None:
    client = viewer()
    assert client.post("/readiness/", ANSWER).status_code == 302
    client.post("/readiness/", ANSWER | {"score": "5", "reason": "health data"})
    assert ReadinessAnswer.objects.get().score == 5
    detail = msgspec.json.decode(Audit.objects.order_by("-number")[0].detail)
    assert (detail["before"]["score"], detail["after"]["score"]) == (4, 5)
    page = client.get("/readiness/")
    governance = next(each for each in page.context["scores"] if each.dimension.key == "governance")
    assert (governance.score, governance.basis) == (5, "answered")
    assert b"health data" in page.content


@pytest.mark.parametrize(
    "change", [{"score": "6"}, {"score": ""}, {"reason": " "}, {"question": "criticality"}, {"question": "x"}]
)
def test_an_answer_that_makes_no_sense_is_refused_in_words(change: dict[str, str]) -> None:
    page = viewer().post("/readiness/", ANSWER | change)
    assert page.status_code == 422
    assert b"Not kept" in page.content
    assert not ReadinessAnswer.objects.exists()


def test_who_may_look_may_not_answer() -> None:
    client = auditor()
    assert client.get("/readiness/").status_code == 200
    assert client.post("/readiness/", ANSWER).status_code == 403
    assert b"Keep this answer" not in client.get("/readiness/").content
