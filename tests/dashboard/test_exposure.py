"""What is unsafe is found by `doctor`, each by itself, and a sound installation has none of it."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.clock import database_now
from dashboard.doctor import exposure, installation
from dashboard.doctor.finding import Finding
from dashboard.models import ApiToken, Webhook

ROOT = Path(__file__).resolve().parents[2]
FAR = "https://lineside.example.org"
# An installation for others that lacks nothing, as the settings read it out of the environment.
SOUND: dict[str, Any] = {
    "DEBUG": False,
    "SECRET_KEY": "".join(map(chr, range(48, 112))),
    "ALLOWED_HOSTS": ["lineside.example.org"],
    "LINESIDE_LOCAL": False,
    "LINESIDE_TRUST_PROXY": True,
    "LINESIDE_URL": FAR,
    "LINESIDE_LOG": "kafka://kafka.example.org:9093?security=ssl",
    "LINESIDE_CHANNELS": "rediss://redis.example.org:6379/0",
    "LINESIDE_OIDC_ISSUER": "",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "HOST": "db.example.org", "OPTIONS": {"sslmode": "verify-full"}}
SMTP = "django.core.mail.backends.smtp.EmailBackend"
UNSAFE: list[tuple[dict[str, Any], str, str]] = [
    ({"DEBUG": True}, "fault", "DEBUG is on"),
    ({"SECRET_KEY": "short"}, "doubt", "security.W009"),
    ({"SECRET_KEY": "django-insecure-" + "x" * 60}, "doubt", "security.W009"),
    ({"ALLOWED_HOSTS": ["*"]}, "fault", "under any host name"),
    ({"LINESIDE_TRUST_PROXY": False}, "doubt", "no proxy that ends TLS is trusted"),
    ({"LINESIDE_LOCAL": True, "ALLOWED_HOSTS": ["localhost"]}, "doubt", "may claim to come by HTTPS"),
    ({"SESSION_COOKIE_SECURE": False}, "fault", "cookies of sessions are sent over plain HTTP"),
    ({"CSRF_COOKIE_SECURE": False}, "fault", "cookies of sessions are sent over plain HTTP"),
    ({"SESSION_COOKIE_HTTPONLY": False}, "doubt", "security.W015"),
    ({"SECURE_HSTS_SECONDS": 0}, "doubt", "security.W004"),
    ({"SECURE_SSL_REDIRECT": False}, "doubt", "security.W008"),
    ({"X_FRAME_OPTIONS": "ALLOW"}, "doubt", "security.W019"),
    ({"LINESIDE_URL": "http://lineside.example.org"}, "doubt", "links in mails and webhooks lead to plain HTTP"),
    ({"LINESIDE_LOG": "kafka://kafka.example.org:9092"}, "doubt", "Kafka at kafka.example.org:9092"),
    ({"LINESIDE_LOG": "kafka://k:9092?security=sasl_plaintext&username=u&password=p"}, "doubt", "Kafka at k:9092"),
    ({"LINESIDE_LOG": "http://log.example.org/api/v1/"}, "doubt", "the log at log.example.org"),
    ({"LINESIDE_CHANNELS": "redis://redis.example.org:6379/0"}, "doubt", "Redis at redis.example.org"),
    ({"DATABASES": {"default": POSTGRES | {"OPTIONS": {}}}}, "doubt", "the database at db.example.org"),
    ({"EMAIL_BACKEND": SMTP, "EMAIL_HOST": "mail.example.org"}, "doubt", "the mail server at mail.example.org"),
    ({"LINESIDE_OIDC_ISSUER": "http://id.example.org"}, "fault", "sign in as anybody"),
    ({"LINESIDE_OIDC_ISSUER": "https://id.example.org"}, "doubt", "as a public client"),
]


@pytest.fixture
def sound(settings: Any) -> Any:
    for name, value in SOUND.items():
        setattr(settings, name, value)
    with pytest.warns(UserWarning, match="DATABASES"):
        settings.DATABASES = {"default": POSTGRES}
    return settings


def bad() -> list[Finding]:
    looks = (installation.configuration, exposure.exposure, exposure.lines, exposure.decision_key)
    return [finding for look in looks for finding in look() if finding.state != "ok"]


def test_a_sound_installation_is_found_sound(sound: Any, tmp_path: Path) -> None:
    sound.LINESIDE_STATE = tmp_path
    assert bad() == []


@pytest.mark.parametrize(("wrong", "state", "words"), UNSAFE, ids=lambda value: str(value)[:50])
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_each_unsafe_setting_is_found(
    sound: Any, tmp_path: Path, wrong: dict[str, Any], state: str, words: str
) -> None:
    sound.LINESIDE_STATE = tmp_path
    for name, value in wrong.items():
        setattr(sound, name, value)
    found = [finding for finding in bad() if words in finding.words]
    assert [finding.state for finding in found] == [state]
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (base64.b64encode(bytes(32)), "is not random"),
        (base64.b64encode(b"secret" * 5 + b"xx"), "is not random"),
        (base64.b64encode(bytes(range(7, 23))), "is not random"),
        (b"not base64 at all", "cannot be read"),
    ],
)
def test_a_weak_key_of_decisions_is_a_fault(settings: Any, tmp_path: Path, key: bytes, words: str) -> None:
    settings.LINESIDE_STATE = tmp_path
    (tmp_path / "decision.key").write_bytes(key)
    (finding,) = exposure.decision_key()
    assert finding.state == "fault"
    assert words in finding.words


def test_a_key_that_we_made_is_none(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path
    (tmp_path / "decision.key").write_bytes(base64.b64encode(os.urandom(32)))
    assert list(exposure.decision_key()) == []


@pytest.mark.parametrize(("days", "state"), [(None, "doubt"), (4_000, "doubt"), (90, "ok"), (-1, "ok")])
def test_tokens_that_do_not_end_are_named(db: None, days: int | None, state: str) -> None:
    user = User.objects.create(username="lena")
    ends = None if days is None else database_now() + days * exposure.DAY
    ApiToken.objects.issue(user, "nightly report", ["read"], ends)
    (finding,) = exposure.tokens()
    assert finding.state == state
    assert state == "ok" or "nightly report of lena" in finding.words


def test_a_token_of_somebody_who_left_opens_nothing(db: None) -> None:
    ApiToken.objects.issue(User.objects.create(username="gone", is_active=False), "old", ["read"], None)
    assert [finding.state for finding in exposure.tokens()] == ["ok"]


def test_webhooks_over_plain_http_are_named(db: None) -> None:
    Webhook.objects.create(name="a", url="http://hooks.example.org/x", secret="s")
    Webhook.objects.create(name="b", url="https://hooks.example.org/x", secret="s")
    Webhook.objects.create(name="c", url="http://pager.example.org/x", requests=False)
    Webhook.objects.create(name="d", url="http://127.0.0.1:9000/x")
    words = [finding.words for finding in exposure.hooks()]
    assert ["hooks.example.org" in words[0], "pager.example.org" in words[1]] == [True, True]
    assert len(words) == 2


ENVIRONMENT = {
    "LINESIDE_ALLOWED_HOSTS": "lineside.example.org",
    "LINESIDE_SECRET_KEY": str(SOUND["SECRET_KEY"]),
    "LINESIDE_TRUST_PROXY": "1",
    "LINESIDE_URL": FAR,
    "LINESIDE_LOG": "kafka://kafka.example.org:9093?security=ssl",
    "LINESIDE_DATABASE_URL": "postgres://u:p@db.example.org/lineside?sslmode=verify-full",
    "LINESIDE_CHANNELS": "rediss://redis.example.org:6379/0",
}


def deployed(state: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment = {**os.environ, **ENVIRONMENT, "LINESIDE_STATE": str(state), **changed}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_what_django_checks_before_deployment_is_clean_for_production(tmp_path: Path) -> None:
    done = deployed(tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_secret_that_is_missing_beyond_this_machine_stops_the_check(tmp_path: Path) -> None:
    done = deployed(tmp_path, LINESIDE_SECRET_KEY="")
    assert done.returncode != 0
    assert "lineside.E004" in done.stderr
