"""Webhooks are told of an incident once, signed; one that does not answer is tried again, and given up in the end."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest

from dashboard import webhooks
from dashboard.alerts.calling import call_due, payload, plan_calls
from dashboard.clock import database_now
from dashboard.models import Alert, AlertCall, Webhook

pytestmark = pytest.mark.django_db


class Listener(HTTPServer):
    """Somebody else's server: keeps what it is told, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        Webhook.objects.create(name="pager", url=f"http://127.0.0.1:{server.server_port}/hook", secret="hush")
        yield server
        server.shutdown()
        thread.join()


def opened() -> Alert:
    alert = Alert.objects.create(incident_id="i-1", kind="stalled", subject="payer", title="t", opened_at=1, seen_at=1)
    plan_calls([alert], "opened", database_now())
    return alert


def test_it_is_told_once_and_can_prove_who_tells(listener: Listener) -> None:
    opened()
    assert [call_due(), call_due()] == [1, 0]
    ((headers, body),) = listener.heard
    told = msgspec.json.decode(body)
    assert (told["event"], told["incident_id"], told["subject"]) == ("alert.opened", "i-1", "payer")
    at = int(headers[webhooks.SIGNATURE].partition(",")[0].removeprefix("t=")) * 1_000_000
    assert headers[webhooks.SIGNATURE] == webhooks.signature("hush", body, at)
    assert AlertCall.objects.get().state == "sent"


def test_the_same_event_is_never_planned_twice(listener: Listener) -> None:
    alert = opened()
    plan_calls([alert], "opened", database_now())
    assert AlertCall.objects.count() == 1


def test_a_refusal_is_tried_again_later_and_given_up_in_the_end(listener: Listener) -> None:
    listener.answers = [503] * 20
    opened()
    for tries in range(1, webhooks.TRIES + 1):
        assert call_due() == 1
        call = AlertCall.objects.get()
        assert (call.tries, call.error) == (tries, "answered 503")
        assert call.due_at > database_now() or call.state == "dead"
        AlertCall.objects.update(due_at=0)
    assert AlertCall.objects.get().state == "dead"
    assert call_due() == 0


def test_only_those_are_told_that_asked_for_alerts(listener: Listener) -> None:
    Webhook.objects.create(name="reviews", url="http://127.0.0.1:9/", secret="s", alerts=False)
    Webhook.objects.create(name="off", url="http://127.0.0.1:9/", secret="s", active=False)
    opened()
    assert [call.webhook.name for call in AlertCall.objects.all()] == ["pager"]


def test_its_link_leads_here_from_elsewhere(listener: Listener, settings: Any) -> None:
    settings.LINESIDE_URL = "https://lineside.example/"
    assert (
        payload(Alert(link="/agents/payer/", opened_at=1), "opened")["link"] == "https://lineside.example/agents/payer/"
    )


def test_a_redirect_is_no_success(listener: Listener) -> None:
    listener.answers = [302]
    opened()
    call_due()
    assert AlertCall.objects.get().error == "answered 302"


def test_an_address_where_nobody_listens_says_so() -> None:
    Webhook.objects.create(name="gone", url="http://127.0.0.1:9/", secret="s")
    opened()
    call_due()
    assert "ConnectError" in AlertCall.objects.get().error
