"""The socket: signed in, from our own pages, with a right to what is watched; nothing but watch and ack."""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from dashboard import live
from dashboard.asgi import application
from dashboard.consumers import FORBIDDEN, NONSENSE, SIGNED_OUT
from dashboard.live.hub import hub
from dashboard.permissions import ensure_roles

pytestmark = pytest.mark.django_db(transaction=True)
HEADERS = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")]


def socket(cookie: str = "", headers=HEADERS) -> WebsocketCommunicator:
    sent = [*headers, (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    return WebsocketCommunicator(application, "/ws/live", headers=sent)


@pytest.fixture
def viewer() -> str:
    """The session of somebody who may see runs and approvals, but not the audit."""
    ensure_roles()
    user = get_user_model().objects.create_user("vera")
    user.groups.add(Group.objects.get(name="viewer"))
    return session_of(user)


@pytest.fixture
def stranger() -> str:
    """The session of somebody without any right."""
    return session_of(get_user_model().objects.create_user("stan"))


def session_of(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


async def closed_with(communicator: WebsocketCommunicator) -> int:
    message = await communicator.receive_output(5)
    assert message["type"] == "websocket.close"
    return message["code"]


async def test_who_watches_hears_what_is_published(viewer):
    communicator = socket(viewer)
    assert (await communicator.connect())[0]
    await communicator.send_json_to({"watch": ["board", "run:1"]})
    answer = await communicator.receive_json_from(5)
    assert answer["at"].endswith("Z")
    assert set(answer["revision"]) == {"board", "run:1"}
    await asyncio.to_thread(live.publish, "run:1", [{"kind": "task", "id": "t", "revision": 1}], ["gone"])
    delta = await communicator.receive_json_from(5)
    assert (delta["about"], delta["from"]) == ("run:1", answer["revision"]["run:1"])
    assert (delta["rows"], delta["gone"]) == ([{"kind": "task", "id": "t", "revision": 1}], ["gone"])
    await communicator.send_json_to({"ack": delta["to"], "about": "run:1"})
    await communicator.disconnect()
    assert not hub.wanted("board")


async def test_nobody_listens_without_signing_in():
    communicator = socket()
    assert (await communicator.connect())[0]
    assert await closed_with(communicator) == SIGNED_OUT


async def test_nobody_watches_without_the_right_to_it(stranger):
    communicator = socket(stranger)
    assert (await communicator.connect())[0]
    await communicator.send_json_to({"watch": ["health", "board"]})
    assert await closed_with(communicator) == FORBIDDEN


@pytest.mark.parametrize("about", ["audit", "", "run", "users"])
async def test_there_is_nothing_else_to_watch(viewer, about):
    communicator = socket(viewer)
    await communicator.connect()
    await communicator.send_json_to({"watch": ["audit" if about == "run" else about]})
    assert await closed_with(communicator) == FORBIDDEN


@pytest.mark.parametrize("said", ["{}{}", "no json", "[]", '{"watch": "board"}', '{"ack": "x"}', '{"watch": [1]}'])
async def test_nonsense_closes_the_socket(viewer, said):
    communicator = socket(viewer)
    await communicator.connect()
    await communicator.send_to(text_data=said)
    assert await closed_with(communicator) == NONSENSE


@pytest.mark.parametrize(
    "origin",
    [None, b"http://127.0.0.1:8001", b"http://evil.example", b"null", b"https://127.0.0.1", b"http://localhost:8000"],
)
async def test_pages_of_another_origin_are_refused_at_the_handshake(viewer, origin):
    headers = [HEADERS[0], *([(b"origin", origin)] if origin else [])]
    connected, _ = await socket(viewer, headers).connect()
    assert not connected
