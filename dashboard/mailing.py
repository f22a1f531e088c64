"""Where mail goes, out of one address: one of Django's backends each."""

from typing import Any
from urllib.parse import unquote, urlsplit

from dashboard.environment import Environment

BACKENDS = "django.core.mail.backends"
SCHEMES = ("smtp", "smtps", "file", "console")


def mailing(environment: Environment) -> dict[str, Any]:
    """Django's settings: `smtp://user:password@host:587` (STARTTLS), `smtps://…:465`, `file:///folder`, `console:`;
    without an address no mail is sent."""
    address = environment.text("EMAIL")
    sender = environment.text("EMAIL_FROM", "lineside@localhost")
    common = {"DEFAULT_FROM_EMAIL": sender, "EMAIL_TIMEOUT": 20}
    if not address:
        return common | {"EMAIL_BACKEND": f"{BACKENDS}.dummy.EmailBackend"}
    scheme = address.partition(":")[0]
    if scheme not in SCHEMES:
        hint = "It begins with smtp://, smtps://, file:// or console:."
        environment.wrong("lineside.E013", "LINESIDE_EMAIL cannot be used.", hint)
        return common | {"EMAIL_BACKEND": f"{BACKENDS}.dummy.EmailBackend"}
    if scheme == "console":
        return common | {"EMAIL_BACKEND": f"{BACKENDS}.console.EmailBackend"}
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        environment.wrong("lineside.E013", "LINESIDE_EMAIL cannot be used.", "Its port is no number.")
        return common | {"EMAIL_BACKEND": f"{BACKENDS}.dummy.EmailBackend"}
    if scheme == "file":
        return common | {"EMAIL_BACKEND": f"{BACKENDS}.filebased.EmailBackend", "EMAIL_FILE_PATH": unquote(parts.path)}
    secure = scheme == "smtps"
    return common | {
        "EMAIL_BACKEND": f"{BACKENDS}.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": port or (465 if secure else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and bool(parts.username),
    }
