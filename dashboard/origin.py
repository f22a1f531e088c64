"""Who may open a WebSocket: pages of this very host, as the browser's Origin header says.

Cookies travel with every WebSocket handshake, whichever page asks for it, so without this check any page on the
web could listen with the rights of a signed-in visitor. Host *and* port are compared: another program of this
machine is another origin.
"""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier  # type: ignore[import-untyped]
from django.conf import settings
from django.http.request import split_domain_port, validate_host

DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


class SameOrigin:
    """ASGI middleware that denies handshakes without an Origin, or with one that is not the Host asked for."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        allowed = same_origin(headers.get(b"origin", ""), headers.get(b"host", ""))
        application = self._application if allowed else WebsocketDenier()
        return await application(scope, receive, send)


def same_origin(origin: str, host: str) -> bool:
    """Whether `origin` (scheme://host[:port]) is the `host` (host[:port]) asked for, and one of ours."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.netloc:
        return False
    theirs, ours = split_domain_port(parts.netloc.lower()), split_domain_port(host.lower())
    same = theirs[0] == ours[0] and (theirs[1] or default) == (ours[1] or default)
    return same and validate_host(ours[0], settings.ALLOWED_HOSTS)
