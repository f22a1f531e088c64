"""Attack strings against every input a person has: nothing runs, nothing leaks, nothing breaks.

In CI each string goes to two of the inputs, so that each input meets at least one; `--long` sends each to all, which
takes hours.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils.html import escape

from coordination.eventlog import StoredRecord
from dashboard.asgi import application
from dashboard.models import ApiToken
from dashboard.origin import same_origin
from dashboard.routes import Route, routes
from dashboard.segments import pack_one
from tests.attacks import ATTACKS, PRODUCT
from tests.dashboard import scenes
from tests.dashboard.cast import ask
from tests.dashboard.test_rights import example

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1_800)]
LEAKS = re.compile(
    rb"Traceback \(most recent|OperationalError|ProgrammingError|DataError|SyntaxError: |root:x:0:|"
    rb"django\.db\.|SECRET_KEY|site-packages|psycopg|sqlite3\."
)
QUERIES = ("query", "cursor", "limit", "fold", "fanout", "before", "open", "at", "state", "run", "range", "format")
Send = Callable[[Client, str], HttpResponse]


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def inputs() -> Iterator[tuple[str, Send]]:
    """Everything somebody can fill: parts of addresses, queries, bodies, forms, headers, cookies."""
    for route in routes():
        if route.method == "GET" and not route.path.startswith("admin/"):
            names = re.findall(r"<(?:\w+:)?(\w+)>", route.path)
            for name in names:
                yield f"{route.path} {name}", _in_path(route, name)
            if route.capability is not None:
                for name in QUERIES[len(route.path) % 3 :: 3] if names else QUERIES:
                    yield f"{route.path} ?{name}", _in_query(route, name)
        elif route.path.startswith("api/") and "/log/" not in route.path:
            yield f"{route.method} {route.path} body", _in_body(route)
            yield f"{route.method} {route.path} raw", _raw(route)
    for name in ("username", "password", "next"):
        yield f"sign-in {name}", _form("/sign-in/", name, {"username": "ana", "password": "x", "next": "/"})
    for name in ("decision", "request_version", "content_hash", "comment", "args"):
        given = {"decision": "approve", "request_version": "1", "content_hash": "x", "comment": "", "args": ""}
        yield f"review {name}", _form("/approvals/ask-1/", name, given)
    for name in ("question", "score", "reason"):
        yield f"readiness {name}", _form("/readiness/", name, {"question": "governance", "score": "1", "reason": "x"})
    for name in (
        "Authorization",
        "Idempotency-Key",
        "Referer",
        "Accept",
        "X-Forwarded-For",
        "X-Requested-With",
        "HX-Target",
    ):
        yield f"header {name}", _header(name)
    yield "cookie theme", lambda client, text: _with_cookie(client, text)


def _address(route: Route, name: str, text: str) -> str:
    def filled(found: re.Match[str]) -> str:
        return text if found[1] == name else {"run_id": "run-1", "approval_id": "ask-1"}.get(found[1], "1")

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", filled, route.path)


def _in_path(route: Route, name: str) -> Send:
    return lambda client, text: client.get(_address(route, name, quoted(text) or "x"))


def _in_query(route: Route, name: str) -> Send:
    return lambda client, text: client.get(f"{_address(route, '', '')}?{name}={quoted(text)}")


def _in_body(route: Route) -> Send:
    def send(client: Client, text: str) -> HttpResponse:
        body = example(route)
        filled = dict.fromkeys(body, text) if isinstance(body, dict) else text
        return _called(client, route, json.dumps(filled))

    return send


def _raw(route: Route) -> Send:
    return lambda client, text: _called(client, route, text.encode("utf-8", "surrogatepass"))


def _called(client: Client, route: Route, body: Any) -> HttpResponse:
    call = getattr(client, route.method.lower())
    return call(_address(route, "", ""), data=body, content_type="application/json")  # type: ignore[no-any-return]


def _form(path: str, name: str, given: dict[str, str]) -> Send:
    def send(client: Client, text: str) -> HttpResponse:
        if path == "/sign-in/":
            client = Client(raise_request_exception=False)
        return client.post(path, given | {name: text.encode("utf-8", "replace").decode()})

    return send


def _header(name: str) -> Send:
    # What a server lets through: Daphne refuses line ends and control characters itself.
    return lambda client, text: client.get(
        "/api/v1/runs", headers={name: re.sub(r"[^\x20-\x7e\xa0-\xff]", "", text)[:4_000]}
    )


def _with_cookie(client: Client, text: str) -> HttpResponse:
    client.cookies["theme"] = re.sub(r"[^\x20-\x7e]", "", text)[:2_000]
    try:
        return client.get("/runs/")
    finally:
        del client.cookies["theme"]


@pytest.fixture
def visitor() -> Client:
    """Somebody with every right, and something on every page."""
    scenes.run()
    scenes.failed_task()
    scenes.group()
    record = StoredRecord("dlq.coord.run", 0, 1, 0, 0, b"task-1", b"{}", ())
    scenes.dead_letter(record=pack_one(record))
    ask(run="run-1")
    client = Client(raise_request_exception=False)
    client.force_login(scenes.member("ana", "all"))
    return client


def wrong(answer: HttpResponse, text: str) -> str:
    """What an answer should not have been; empty if it is as it should be."""
    body = answer.content if not getattr(answer, "streaming", False) else b""
    if answer.status_code >= 500:
        return f"answered {answer.status_code}"
    found = LEAKS.search(body)
    if found and found[0] not in text.encode("utf-8", "replace"):
        return f"leaks {found[0]!r}"
    if str(PRODUCT[0]).encode() in body:
        return "computed what stands in the data"
    if answer.has_header("Set-Cookie") or "owned" in answer.cookies:
        return "sets a cookie of the attacker"
    location = answer.headers.get("Location", "")
    if re.match(r"(?:https?:)?[/\\]{2}", location) or location.lower().startswith(("javascript", "data")):
        return f"leads to {location[:60]}"
    html = answer.headers.get("Content-Type", "").startswith("text/html")
    if html and "default-src 'self'" not in answer.headers.get("Content-Security-Policy", ""):
        return "has no policy for its content"
    if html and any(tag.encode("utf-8", "replace") in body for tag in tags_of(text)):
        return "holds the markup as it came"
    return ""


def tags_of(text: str) -> list[str]:
    """The tags of a string with what they enclose; not those that every page has itself, like `</script>`."""
    found = re.findall(r"<[a-z!/][^<]{4,}", text, re.IGNORECASE)
    return [tag for tag in found if not re.fullmatch(r"</\w+>?", tag)]


def attacked(visitor: Client, share: int) -> list[str]:
    failures = []
    places = list(inputs())
    for number, (kind, text) in enumerate(ATTACKS):
        for name, send in places[number % share :: share]:
            found = wrong(send(visitor, text), text)
            if found:
                failures.append(f"{kind} {text[:50]!r} in {name}: {found}")
    return failures


def test_there_are_five_hundred_of_ten_kinds() -> None:
    assert len(ATTACKS) >= 500
    assert len({kind for kind, _ in ATTACKS}) == 10


def test_markup_that_is_not_escaped_is_noticed() -> None:
    page = "<!doctype html><title>Runs</title><script src=x></script><textarea></textarea><style></style>"
    tagged = [text for _, text in ATTACKS if tags_of(text)]
    assert len(tagged) > 200
    for text in tagged:
        for shown, found in ((text, "holds the markup as it came"), (escape(text), "")):
            answer = HttpResponse(page + shown, headers={"Content-Security-Policy": "default-src 'self'"})
            assert wrong(answer, text) == found, text


def test_every_input_survives_every_kind_of_attack(visitor: Client) -> None:
    places = len(list(inputs()))
    assert len(ATTACKS) > places / 2
    assert attacked(visitor, -(-places // 2)) == []


@pytest.mark.long
def test_every_input_survives_every_attack(visitor: Client) -> None:
    assert attacked(visitor, 1) == []


def test_no_form_and_no_call_acts_without_the_csrf_token(visitor: Client) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="ana"))
    for route in routes():
        if route.method != "GET" and "/log/" not in route.path:
            assert _called(client, route, "{}").status_code == 403, route.path
    for path in ("/sign-in/", "/sign-out/", "/approvals/ask-1/", "/readiness/", "/records/dlq.coord.run/0/1/"):
        assert client.post(path, {}).status_code == 403, path


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "http://127.0.0.1.evil.example", "http://evil.example#127.0.0.1",
     "http://127.0.0.1:8000@evil.example", "http://127.0.0.1:80", "https://127.0.0.1:8000x", "file://127.0.0.1:8000",
     "http://[::ffff:127.0.0.1]:8000", "//127.0.0.1:8000", "http://127.0.0.1:8000\\@evil.example", "http://localhost:8000"],
)  # fmt: skip
def test_no_other_origin_opens_the_socket(origin: str) -> None:
    assert not same_origin(origin, "127.0.0.1:8000")


async def _signed_in() -> list[tuple[bytes, bytes]]:
    """The headers of a handshake from a page of this host, by somebody with every right."""
    client = Client()
    await sync_to_async(client.force_login)(await sync_to_async(scenes.member)("ana", "all"))
    cookie = f"{configured.SESSION_COOKIE_NAME}={client.cookies[configured.SESSION_COOKIE_NAME].value}"
    return [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000"), (b"cookie", cookie.encode())]


@pytest.mark.django_db(transaction=True)
async def test_nothing_said_on_the_socket_breaks_it() -> None:
    headers = await _signed_in()
    for kind, text in ATTACKS[:: len(ATTACKS) // 60]:
        for said in (text, json.dumps({"watch": [text]}), json.dumps({"watch": [f"run:{text}"]})):
            socket = WebsocketCommunicator(application, "/ws/live", headers=headers)
            assert (await socket.connect())[0]
            await socket.send_to(text_data=said)
            answer = await socket.receive_output(5)
            assert answer["type"] in ("websocket.close", "websocket.send"), (kind, text[:40])
            assert answer.get("code", 4000) < 5000
            await socket.disconnect()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("said", ["[" * 20_000, '{"watch":' + "[" * 5_000 + "]" * 5_000 + "}", '{"a":' * 9_000])
async def test_what_is_nested_too_deeply_is_refused_on_the_socket(said: str) -> None:
    socket = WebsocketCommunicator(application, "/ws/live", headers=await _signed_in())
    assert (await socket.connect())[0]
    await socket.send_to(text_data=said)
    assert (await socket.receive_output(5)) == {"type": "websocket.close", "code": 4400}
    await socket.disconnect()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000@evil.example", "127.0.0.1\r\nX: y", "", "a" * 5_000])
def test_no_other_host_is_served(host: str) -> None:
    answer = Client(raise_request_exception=False).get("/sign-in/", headers={"Host": host})
    assert answer.status_code == 400


def test_no_guessed_token_and_no_other_prefix_is_a_way_in(visitor: Client) -> None:
    _, secret = ApiToken.objects.issue(User.objects.get(username="ana"), "t", ["read"], None)
    for guess in (secret[:-1], secret.upper(), f"{secret} ", f"{secret}\0", "' OR 1=1--", "", "null", "*" * 9_000):
        sent = re.sub(r"[^\x20-\x7e]", "", guess)
        answer = Client().get("/api/v1/runs", headers={"Authorization": f"Bearer {sent}x"})
        assert answer.status_code == 401
