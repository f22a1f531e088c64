"""Every route and every watch, asked as every role of every tenant: what was answered is what the capability says.

Routes come out of the URL conf. One that is added tomorrow is asked too; one that rests on no capability fails here
until it does, or until `dashboard.routes.OPEN` says why it needs none.
"""

import re
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client

from coordination.eventlog import StoredRecord
from coordination.requests import Request as RequestRow
from dashboard.api.root import api
from dashboard.models import ApiToken, Request
from dashboard.permissions import ROLES, WATCHES, ensure_roles, may_watch, tenants_of
from dashboard.routes import Route, capabilities, routes, unexplained
from dashboard.segments import pack_one
from dashboard.views import page
from tests.dashboard import scenes

pytestmark = pytest.mark.django_db
OURS, THEIRS = "acme", "globex"
TENANTS = (None, OURS, THEIRS)
PEOPLE = [(role, tenant) for role in (*ROLES, "nobody") for tenant in TENANTS]
# Whose data the addresses below name: all of it is of the tenant OURS.
NAMED = {
    "run_id": "run-1",
    "task_id": "task-1",
    "approval_id": "ask-1",
    "decision_id": "none",
    "group": "payer",
    "topic": "dlq.coord.run",
    "partition": "0",
    "offset": "1",
    "fanout_id": "none",
    "fold_key": "none",
    "token": "none",
    "number": "1",
    "part": "parts",
}
REFUSED = {401, 403}
ACTING = {"may_decide", "may_steer", "may_redrive", "may_prune", "may_unmask", "may_answer_readiness"}
ACTING |= {"may_manage_policy", "may_manage_rules"}
ACTING |= {"may_silence"}
# What is asked about is named in the query, so that its bare address has nothing to show.
ASKING = {"api/v1/runs/compare"}
# Drawn for whoever looks, or kept for oneself.
LOOKING_POSTS = {
    "approvals/<path:approval_id>/",
    "api/v1/approvals/<path:approval_id>/edits",
    "api/v1/views",
    "api/v1/views/<int:number>",
}


@pytest.fixture
def world() -> dict[tuple[str, str | None], User]:
    """One run with a task, a request and a dead letter, of one tenant; one person for every role of every tenant."""
    ensure_roles()
    scenes.run(tenant=OURS)
    scenes.failed_task(tenant=OURS)
    record = StoredRecord("dlq.coord.run", 0, 1, 0, 0, b"task-1", b"{}", (("ce_correlationid", b"run-1"),))
    scenes.dead_letter(record=pack_one(record))
    scenes.group()
    body = RequestRow(approval_id="ask-1", run_id="run-1", task_id="task-1", tenant=OURS, version=1, state="pending")
    Request.objects.create(
        approval_id="ask-1", run_id="run-1", task_id="task-1", version=1, state="pending", revision=1, body=_json(body)
    )
    for tenant in (OURS, THEIRS):
        Group.objects.create(name=f"tenant:{tenant}")
    return {key: _person(*key) for key in PEOPLE}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Every role draws every page once; that another tenant's person of the same role may come in is told by the
    answer's status. Sessions are in the cookie, the health of the installation is looked at once."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    drawn: set[tuple[str, str]] = set()
    health = page.health_row(0)

    def once(request: HttpRequest, template: str, *given: Any, status: int = 200) -> HttpResponse:
        key = (template, request.user.get_username().partition(" of ")[0])
        if key in drawn:
            return HttpResponse(status=status)
        drawn.add(key)
        return render(request, template, *given, status=status)

    monkeypatch.setattr(page, "render", once)
    monkeypatch.setattr(page, "health_row", lambda now: health)


def _json(row: Any) -> str:
    return msgspec.json.encode(row).decode()


def _person(role: str, tenant: str | None) -> User:
    user = User.objects.create_user(f"{role} of {tenant}")
    groups = [role] * (role != "nobody") + [f"tenant:{tenant}"] * (tenant is not None)
    user.groups.set(Group.objects.filter(name__in=groups))
    return User.objects.get(pk=user.pk)


def address(route: Route) -> str:
    """The route's address with the names of what there is."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: NAMED.get(found[1], "none"), route.path).replace("^", "")


def asked(client: Client, route: Route, **headers: str) -> int:
    call = getattr(client, route.method.lower())
    body = {"content_type": "application/json", "data": example(route)} if route.method != "GET" else {}
    return int(call(address(route) + query(route), **body, headers=headers).status_code)


@cache
def document() -> Any:
    """The API's description; it takes a second to make."""
    return api.get_openapi_schema()


def operation(route: Route) -> Any:
    """The call's own description; empty for a page. What it wants is given, so that rights are asked for."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
    return document()["paths"].get(path, {}).get(route.method.lower(), {})


def query(route: Route) -> str:
    wanted = [given for given in operation(route).get("parameters", []) if given["in"] == "query" and given["required"]]
    return "?" + urlencode({given["name"]: _fitting(given["schema"]) for given in wanted}) if wanted else ""


def example(route: Route) -> Any:
    """A body that fits the call's description."""
    content = operation(route).get("requestBody", {}).get("content", {}).get("application/json", {})
    return _fitting(content.get("schema", {}))


def _fitting(schema: Any) -> Any:
    if "$ref" in schema:
        return _fitting(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _fitting(schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", [])
            return {name: _fitting(schema["properties"][name]) for name in wanted}
        case "integer" | "number":
            return 1
        case "array":
            return []
        case "boolean":
            return False
        case "string":
            return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "x"
    return {}


def guarded() -> Iterator[Route]:
    return (route for route in routes() if route.capability is not None)


def test_no_route_is_without_a_right_or_a_reason() -> None:
    assert unexplained() == []


def test_every_operation_of_the_api_is_among_the_routes() -> None:
    operations = sum(len(view.operations) for _, router in api._routers for view in router.path_operations.values())
    assert sum(route.path.startswith("api/v1/") for route in routes()) >= operations


def test_what_changes_something_rests_on_a_right_to_act() -> None:
    posts = [route for route in guarded() if route.method != "GET" and route.path not in LOOKING_POSTS]
    assert posts
    assert {route.right for route in posts} <= ACTING


def test_every_route_answers_every_role_of_every_tenant_as_the_capability_says(world: Any, quick: None) -> None:
    holes = []
    for (role, tenant), person in world.items():
        client = Client(raise_request_exception=False)
        client.force_login(person)
        for route in guarded():
            assert route.capability is not None
            may, status = route.capability(person), asked(client, route)
            seen = tenants_of(person)
            ours = seen is None or OURS in seen
            if status >= 500 or ((status in REFUSED) == may and not (may and _refuses_the_act(route, status))):
                holes.append(f"{role} of {tenant}: {route.method} {route.path} answered {status}, may {may}")
            if may and not ours and re.search(r"<\w*:?(run_id|task_id|approval_id)>", route.path) and status != 404:
                holes.append(f"{role} of {tenant}: {route.method} {route.path} shows another tenant's: {status}")
            if may and ours and _shows_what_is_there(route) and status != 200:
                holes.append(f"{role} of {tenant}: {route.method} {route.path} is there and answered {status}")
    assert holes == []


def _refuses_the_act(route: Route, status: int) -> bool:
    """An act may be refused for its own sake, with 403 and the reason."""
    return status == 403 and route.method != "GET"


def _shows_what_is_there(route: Route) -> bool:
    named = set(re.findall(r"<(?:\w+:)?(\w+)>", route.path))
    if route.path in ASKING:
        return False
    return route.method == "GET" and named <= {"run_id", "approval_id"} and "/log/" not in route.path


def test_nobody_who_is_not_signed_in_gets_anything(world: Any) -> None:
    for route in guarded():
        answer = asked(Client(), route)
        assert answer == 401 if route.path.startswith("api/") else answer in (302, 403, 405), route


def test_lists_and_boards_hold_nothing_of_another_tenant(world: Any) -> None:
    for path in (
        "/",
        "/runs/",
        "/approvals/",
        "/dead-letters/",
        "/api/v1/runs",
        "/api/v1/approvals",
        "/api/v1/rejected",
    ):
        for (role, tenant), person in world.items():
            stranger = tenant == THEIRS and tenants_of(person) is not None
            if not stranger and (role, tenant) != ("builder", OURS):
                continue
            client = Client()
            client.force_login(person)
            answer = client.get(path)
            if stranger:
                assert b"run-1" not in answer.content, (role, path)
                assert b"INC-1" not in answer.content, (role, path)
            else:
                assert b"run-1" in answer.content, path


def test_the_admin_is_for_staff(world: Any) -> None:
    for (role, tenant), person in world.items():
        client = Client()
        client.force_login(person)
        for route in routes():
            if route.path.startswith("admin/") and "<" not in route.path and "^" not in route.path:
                assert client.get(f"/{route.path}").status_code in (302, 301, 403), (role, tenant, route.path)


def test_every_watch_is_for_every_role_of_every_tenant_what_its_page_is(world: Any) -> None:
    for (role, tenant), person in world.items():
        for about, capability in WATCHES.items():
            named = f"{about}:run-1" if about == "run" else about
            seen = tenants_of(person)
            visible = about != "run" or seen is None or OURS in seen
            assert may_watch(person, named) == (capability(person) and visible), (role, tenant, about)


def test_a_token_gives_no_more_than_its_user_and_its_scope(world: Any) -> None:
    person = world["admin", None]
    for scope, word in ((["read"], "decide"), (["decide"], "steer"), (["steer"], "read")):
        _, secret = ApiToken.objects.issue(person, "t", scope, None)
        for route in guarded():
            if not route.path.startswith("api/"):
                continue
            if route.scope == word:
                assert asked(Client(), route, authorization=f"Bearer {secret}") == 403, route
    stranger = world["viewer", THEIRS]
    _, secret = ApiToken.objects.issue(stranger, "t", ["read"], None)
    answer = Client().get("/api/v1/runs/run-1", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 404


def test_where_there_are_tenants_who_is_in_none_sees_none(world: Any) -> None:
    assert tenants_of(world["viewer", None]) == frozenset()
    assert tenants_of(world["operator", None]) is None
    Group.objects.filter(name__startswith="tenant:").delete()
    assert tenants_of(User.objects.get(pk=world["viewer", None].pk)) is None


def test_every_capability_guards_something_or_is_asked_inside(world: Any) -> None:
    asked_inside = {"may_append", "may_use_log", "may_see_payloads", "may_see_figures", "may_see_health", "may_unmask"}
    unused = set(capabilities()) - {route.right for route in guarded()} - asked_inside
    assert unused <= {"may_redrive", "may_see_oversight", "may_accept_gap", "may_replay", "may_export", "may_prune",
                      "may_manage_policy", "may_see_schemas", "may_see_readiness", "may_answer_readiness"}  # fmt: skip


def test_the_command_prints_the_table() -> None:
    out = StringIO()
    call_command("rights", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 1 + len(routes()) + len(WATCHES)
    decide = next(line for line in lines if line.rstrip().endswith("may_decide"))
    assert re.split(r"  +", decide.strip())[-7:-1] == ["-", "-", "yes", "-", "-", "yes"]
    assert not User.objects.filter(username__startswith="rights of").exists()
