"""What works and is unsafe: settings, lines that others may listen to, tokens, addresses that are told things."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from coordination.errors import CoordinationError
from coordination.kafkalog import parse_address
from dashboard.clock import database_now
from dashboard.decisionkey import PRIVATE
from dashboard.doctor.finding import Finding, doubt, fault, fine
from dashboard.models import ApiToken, Webhook

ABOUT: Final = "safety"
HERE: Final = ("localhost", "127.0.0.1", "::1", "")
DAY: Final = 86_400_000_000
LONG: Final = 400 * DAY
VARIED: Final = 16
"""Random keys of 32 bytes have at least as many different ones, but for one in 10^17."""
DANGEROUS: Final = ("decide", "steer", "redrive")


def exposure() -> Iterator[Finding]:
    """How pages are reached."""
    if settings.DEBUG:
        yield fault(ABOUT, "DEBUG is on: errors show settings and code to whoever meets one", "Set DEBUG = False.")
    if "*" in settings.ALLOWED_HOSTS:
        remedy = "Name the hosts in LINESIDE_ALLOWED_HOSTS."
        yield fault(ABOUT, "pages are served under any host name, so links and origins cannot be trusted", remedy)
    if not settings.LINESIDE_LOCAL and not settings.LINESIDE_TRUST_PROXY:
        remedy = "Put a proxy that ends TLS in front and set LINESIDE_TRUST_PROXY=1."
        yield doubt(ABOUT, "cookies are sent over HTTPS only, and no proxy that ends TLS is trusted", remedy)
    if settings.LINESIDE_LOCAL and settings.LINESIDE_TRUST_PROXY:
        remedy = "Unset LINESIDE_TRUST_PROXY unless a proxy on this machine sets X-Forwarded-Proto itself."
        yield doubt(ABOUT, "anybody who reaches the port may claim to come by HTTPS", remedy)
    if not settings.LINESIDE_LOCAL and not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        remedy = "Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True."
        yield fault(ABOUT, "cookies of sessions are sent over plain HTTP too, where they can be taken", remedy)
    if not settings.LINESIDE_LOCAL and urlsplit(settings.LINESIDE_URL).scheme != "https":
        remedy = "Set LINESIDE_URL to the https:// address that people use."
        yield doubt(ABOUT, "links in mails and webhooks lead to plain HTTP", remedy)


def lines() -> Iterator[Finding]:
    """Connections that leave this machine unencrypted, with passwords and records on them."""
    for name, address, safe in _addresses():
        if not safe:
            words = f"{name} at {address} is asked without insisting on TLS"
            yield doubt(ABOUT, words, "Use TLS, or a network of its own.")
    issuer = settings.LINESIDE_OIDC_ISSUER
    if issuer and urlsplit(issuer).scheme != "https" and not _here(urlsplit(issuer).hostname):
        yield fault(ABOUT, "the identity provider is asked over plain HTTP: anybody between may sign in as anybody",
                    "Set LINESIDE_OIDC_ISSUER to its https:// address.")  # fmt: skip
    if issuer and not settings.LINESIDE_OIDC_CLIENT_SECRET:
        yield doubt(ABOUT, "sign-in goes without LINESIDE_OIDC_CLIENT_SECRET, as a public client",
                    "Let the provider give Lineside a secret and set it.")  # fmt: skip


def _addresses() -> Iterator[tuple[str, str, bool]]:
    """What is asked over the network: its name, its host, whether nobody can listen."""
    log = urlsplit(settings.LINESIDE_LOG)
    if log.scheme == "kafka":
        yield from _kafka()
    elif log.scheme == "http" and not _here(log.hostname):
        yield "the log", str(log.hostname), False
    channels = urlsplit(settings.LINESIDE_CHANNELS)
    if channels.scheme == "redis" and not _here(channels.hostname):
        yield "Redis", str(channels.hostname), False
    database: dict[str, Any] = settings.DATABASES["default"]
    host = str(database.get("HOST") or "")
    if not database["ENGINE"].endswith("sqlite3") and not _here(host) and not host.startswith("/"):
        mode = str(database.get("OPTIONS", {}).get("sslmode", "prefer"))
        yield "the database", host, mode in ("require", "verify-ca", "verify-full")
    mail = str(settings.EMAIL_HOST)
    if settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not _here(mail):
        yield "the mail server", mail, settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL


def _kafka() -> Iterator[tuple[str, str, bool]]:
    try:
        address = parse_address(settings.LINESIDE_LOG)
    except CoordinationError:
        return  # the check of settings says what is wrong with it
    far = [host for host in address.hosts if not _here(urlsplit(f"//{host}").hostname)]
    if far:
        yield "Kafka", far[0], address.tls


def _here(host: str | None) -> bool:
    return (host or "") in HERE


def decision_key() -> Iterator[Finding]:
    """Whether the key that decisions are signed with can be read and was not made by hand."""
    path = Path(settings.LINESIDE_STATE) / PRIVATE
    if not path.exists():
        return
    remedy = f"Move {path} away, start a web process, which makes a new one, and give agents decision.keys.json."
    try:
        raw = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except (OSError, ValueError, binascii.Error) as error:
        yield fault(ABOUT, f"the key that decisions are signed with cannot be read: {error}", remedy)
        return
    if len(raw) != 32 or len(set(raw)) < VARIED:
        yield fault(ABOUT, "the key that decisions are signed with is not random: others may sign as we do", remedy)


def tokens() -> Iterator[Finding]:
    """API tokens that last for ever, or nearly."""
    now = database_now()
    valid = ApiToken.objects.filter(user__is_active=True).exclude(expires_at__lte=now)
    lasting = valid.filter(expires_at=None) | valid.filter(expires_at__gt=now + LONG)
    names = [f"{token.name or token.pk} of {token.user}" for token in lasting.select_related("user")[:3]]
    if names:
        remedy = "Replace them by ones that end (`manage.py token USER --days 90`) and delete them in /admin/."
        words = f"{lasting.count()} API tokens end never or in more than a year: {', '.join(names)}"
        yield doubt(ABOUT, words, remedy)
    else:
        yield fine(ABOUT, "every API token ends within a year or so")


def hooks() -> Iterator[Finding]:
    """Webhooks over plain HTTP: what they tell can be read and changed on the way."""
    for url in Webhook.objects.values_list("url", flat=True).order_by("pk"):
        parts = urlsplit(url)
        if parts.scheme == "http" and not _here(parts.hostname):
            words = f"a webhook tells {parts.hostname} over plain HTTP what waits for whom"
            yield doubt(ABOUT, words, "Give it an https:// address in /admin/.")
