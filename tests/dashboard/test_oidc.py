"""Sign-in by an identity provider: a real exchange with one on this machine; a forged answer lets nobody in."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from dashboard import oidc
from dashboard.models import Audit

pytestmark = pytest.mark.django_db
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
FORGED = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})


class Provider(BaseHTTPRequestHandler):
    """Discovery, keys and tokens; `server.claims` and `server.key` say what it claims and signs with."""

    def do_GET(self) -> None:
        here = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        if self.path.endswith("openid-configuration"):
            self._say({
                "issuer": here, "authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token",
                "jwks_uri": f"{here}/keys", "id_token_signing_alg_values_supported": ["RS256"],
            })  # fmt: skip
        else:
            self._say({"keys": [KEY.as_dict(private=False)]})

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        server: Any = self.server
        server.asked = body
        now = int(time.time())
        claims = {"iss": f"http://127.0.0.1:{server.server_port}", "aud": "lineside", "iat": now, "exp": now + 60}
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims | server.claims, server.key)
        self._say({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    def _say(self, body: Any) -> None:
        told = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *given: Any) -> None:
        """Quiet."""


@pytest.fixture
def provider(settings: Any) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.claims, server.key = {}, KEY
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.LINESIDE_OIDC_ISSUER = f"http://127.0.0.1:{server.server_port}"
    settings.LINESIDE_OIDC_CLIENT_ID, settings.LINESIDE_OIDC_CLIENT_SECRET = "lineside", "s"
    oidc._client.cache_clear()
    yield server
    server.shutdown()
    server.server_close()
    oidc._client.cache_clear()


def came_back(client: Client, provider: Any, *, state: str = "", **claims: Any) -> Any:
    """The whole way: out to the provider with state, nonce and challenge, and back with a code."""
    sent = client.get("/sign-in/oidc/")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    provider.claims = {"sub": "ana-7", "name": "Ana", "nonce": asked["nonce"]} | claims
    return client.get("/sign-in/oidc/return/", {"code": "c", "state": state or asked["state"]})


def test_who_the_provider_vouches_for_comes_in_with_the_groups_it_names(provider: Any) -> None:
    Group.objects.create(name="finance")
    client = Client()
    assert came_back(client, provider, groups=["finance", "unheard of"]).headers["Location"] == "/"
    user = User.objects.get(pk=client.session["_auth_user_id"])
    assert (user.first_name, user.has_usable_password(), user.is_staff) == ("Ana", False, False)
    assert [group.name for group in user.groups.all()] == ["finance"]
    assert provider.asked["code_verifier"]
    assert Audit.objects.get(act="session.begun").actor == f"user-{user.pk}"
    came_back(Client(), provider, groups=[])
    assert User.objects.count() == 1
    assert not User.objects.get().groups.exists()


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"aud": "another"}, {"iss": "http://evil.example"}, {"exp": 1}, {"sub": ""}],
)
def test_an_answer_for_somebody_else_or_another_time_lets_nobody_in(provider: Any, claims: dict[str, Any]) -> None:
    client = Client()
    assert came_back(client, provider, **claims).headers["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session
    assert not User.objects.exists()


def test_a_forged_signature_a_forged_state_and_no_state_let_nobody_in(provider: Any) -> None:
    for attempt in ("signature", "state", "none"):
        client = Client()
        provider.key = FORGED if attempt == "signature" else KEY
        if attempt == "none":
            client.get("/sign-in/oidc/return/", {"code": "c", "state": "x"})
        else:
            came_back(client, provider, state="forged" if attempt == "state" else "")
        assert "_auth_user_id" not in client.session, attempt


def test_an_unsigned_token_lets_nobody_in(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsigned(header: Any, claims: Any, key: Any) -> str:
        parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in ({"alg": "none"}, claims)]
        return b".".join([*parts, b""]).decode()

    monkeypatch.setattr(jwt, "encode", unsigned)
    client = Client()
    came_back(client, provider)
    assert "_auth_user_id" not in client.session


def test_who_was_switched_off_here_stays_out(provider: Any) -> None:
    came_back(Client(), provider)
    User.objects.update(is_active=False)
    client = Client()
    assert came_back(client, provider).headers["Location"] == "/sign-in/"
    assert "switched off" in client.get("/sign-in/").content.decode()


def test_without_a_provider_there_is_no_such_way() -> None:
    assert Client().get("/sign-in/oidc/").status_code == 404
    assert b"by your organisation" not in Client().get("/sign-in/").content
