"""What is due goes out once; what fails is tried again and given up in words; links never decide."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from dashboard.clock import database_now
from dashboard.models import Decision, Notice, NotificationChoice, Webhook
from dashboard.notify.planning import plan
from dashboard.notify.sending import send_due, told_of, try_again
from dashboard.sweep.adoption import adopt_new
from dashboard.webhooks import PAUSES
from tests.dashboard.approvals.clicking import decide
from tests.dashboard.cast import ask

pytestmark = pytest.mark.django_db


class Listener:
    """Listens on this machine, keeps what it is told, answers as it is bidden."""

    def __init__(self) -> None:
        self.status, self.heard = 200, list[tuple[dict[str, str], bytes]]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.heard.append((dict(self.headers), body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def asked(*names: str) -> None:
    for name in names:
        ask(name, title=f"Pay {name}")
    adopt_new()
    plan()


def due_now() -> None:
    Notice.objects.filter(state="waiting").update(due_at=database_now())


def test_one_mail_tells_of_everything_that_is_due_and_is_sent_once(ana: User) -> None:
    asked("ask-1", "ask-2")
    send_due()
    send_due()
    assert [message.subject for message in mail.outbox] == ["2 requests need a decision"]
    assert mail.outbox[0].to == ["ana@example.org"]
    assert "https://lineside.example/approvals/ask-1/" in mail.outbox[0].body
    assert set(Notice.objects.values_list("state", flat=True)) == {"sent"}


def test_opening_every_link_of_a_mail_decides_nothing(ana: User) -> None:
    asked("ask-1")
    send_due()
    scanner = Client()
    for word in mail.outbox[0].body.split():
        if word.startswith("https://lineside.example/"):
            for method in (scanner.get, scanner.head, scanner.post):
                method(word.removeprefix("https://lineside.example"))
    assert Decision.objects.count() == 0


def test_a_title_cannot_add_headers_to_a_mail(ana: User) -> None:
    ask("ask-1", title="Pay\r\nBcc: all@example.org")
    adopt_new()
    plan()
    send_due()
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == ["ana@example.org"]


def test_what_was_decided_meanwhile_is_not_sent(ana: User) -> None:
    NotificationChoice.objects.update(digest="hourly")
    asked("ask-1")
    assert send_due() == 0
    decide(ana)
    due_now()
    send_due()
    assert mail.outbox == []
    assert Notice.objects.get().state == "moot"


def test_a_webhook_can_check_who_called_and_when(listener: Listener) -> None:
    Webhook.objects.create(name="ops", url=listener.url, secret="shared")
    asked("ask-1")
    send_due()
    headers, body = listener.heard[0]
    at, proof = (part.partition("=")[2] for part in headers["Lineside-Signature"].split(","))
    assert proof == hmac.new(b"shared", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert abs(int(at) - database_now() // 1_000_000) < 60
    told = json.loads(body)
    assert (told["event"], told["approval_id"], told["title"]) == ("asked", "ask-1", "Pay ask-1")
    assert "18240.50" not in body.decode()


def test_a_webhook_that_fails_is_tried_again_and_given_up_with_the_reason_on_the_item(listener: Listener) -> None:
    Webhook.objects.create(name="ops", url=listener.url, secret="s")
    listener.status = 503
    asked("ask-1")
    send_due()
    assert "webhook ops (asked) failed 1 of 7 times" in told_of("ask-1", 1)[0]
    assert send_due() == 0  # not before its time
    for _ in PAUSES:
        due_now()
        send_due()
    assert "given up after 7 tries: answered 503" in told_of("ask-1", 1)[0]
    listener.status = 204
    assert try_again(Notice.objects.get().pk)
    send_due()
    assert "webhook ops (asked) sent " in told_of("ask-1", 1)[0]


def test_a_listener_that_is_gone_keeps_nobody_else_from_being_told(ana: User) -> None:
    Webhook.objects.create(name="gone", url="http://127.0.0.1:9/", secret="s")
    asked("ask-1")
    send_due()
    assert len(mail.outbox) == 1
    assert Notice.objects.get(webhook__name="gone").error != ""
