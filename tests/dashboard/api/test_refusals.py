"""Below /api/ every error is a problem document, also where no call was reached."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.api.problems import MEDIA_TYPE, answer
from dashboard.api.refusals import problems_only


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "host", "status", "code"),
    [
        ("GET", "/api/v1/nothing", "localhost", 404, "not_found"),
        ("GET", "/api/v1/records/coord.run.task.events/x/0", "localhost", 404, "not_found"),
        ("DELETE", "/api/v1/runs", "localhost", 405, "method_not_allowed"),
        ("GET", "/api/v1/runs", "elsewhere.example", 400, "refused"),
    ],
)
def test_what_reaches_no_call_is_a_problem_too(method: str, path: str, host: str, status: int, code: str) -> None:
    found = Client(headers={"Host": host}).generic(method, path)
    assert (found.status_code, found["content-type"], found.json()["code"]) == (status, MEDIA_TYPE, code)


@pytest.mark.django_db
def test_a_wrong_method_still_names_the_right_one() -> None:
    assert Client().delete("/api/v1/runs")["Allow"] == "GET"


@pytest.mark.django_db
def test_people_get_a_page() -> None:
    assert Client().get("/nothing")["content-type"].startswith("text/html")


def test_a_problem_that_a_call_told_is_kept() -> None:
    request = RequestFactory().get("/api/v1/runs/x")
    told = answer(request, 404, "not_found", "There is no run x.")
    assert problems_only(lambda request: told)(request) is told


async def test_it_works_in_an_asynchronous_chain_too() -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("<html>", status=404)

    found = await problems_only(view)(RequestFactory().get("/api/v1/x"))
    assert found["content-type"] == MEDIA_TYPE
