"""Where a Kafka cluster is and how to sign in, read from one URL that fits an environment variable.

`kafka://host:9092,host2:9092?security=sasl_ssl&mechanism=SCRAM-SHA-512&username=…&password=…&cafile=…`

Values are percent-decoded; `+` stays a plus, since passwords contain it. Secrets stand in no message, log or repr.
"""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from coordination.errors import CoordinationError
from coordination.kafkalog.client import collect_hosts

SECURITY = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True)
class KafkaAddress:
    """A cluster, the way to sign in, and the patience with it (`timeout`, seconds each call may take)."""

    hosts: tuple[str, ...]
    security: str = "plaintext"
    mechanism: str = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""
    keypassword: str = field(default="", repr=False)
    timeout: float = DEFAULT_TIMEOUT
    client_id: str = "coordination"

    def __str__(self) -> str:
        return ",".join(self.hosts)

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security.endswith("ssl")

    @property
    def sasl(self) -> bool:
        """Whether one signs in with user name and password."""
        return self.security.startswith("sasl")

    def sign_in(self) -> dict[str, Any]:
        """Security arguments that every client object of aiokafka takes. Raises CoordinationError for bad files."""
        return {
            "security_protocol": self.security.upper(),
            "ssl_context": self._ssl_context() if self.tls else None,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username or None,
            "sasl_plain_password": self.password or None,
        }

    def options(self, client_id: str = "", patience: float = 0.0) -> dict[str, Any]:
        """Arguments for a client object; one request of it may take `patience` seconds (default `timeout`)."""
        return {
            "bootstrap_servers": list(self.hosts),
            "client_id": client_id or self.client_id,
            "request_timeout_ms": round((patience or self.timeout) * 1000),
            "metadata_max_age_ms": 60_000,
            **self.sign_in(),
        }

    def _ssl_context(self) -> ssl.SSLContext:
        named = ", ".join(filter(None, (self.cafile, self.certfile, self.keyfile))) or "the system's certificates"
        try:
            context = ssl.create_default_context(cafile=self.cafile or None)
            if self.certfile:
                # A function as password: without it OpenSSL would ask on the terminal and wait for ever.
                context.load_cert_chain(self.certfile, self.keyfile or None, lambda: self.keypassword)
        except (OSError, ValueError) as error:
            raise _bad(f"the TLS files cannot be used ({named}): {error}") from error
        return context


OPTIONS: dict[str, Callable[[str], Any]] = {
    "security": lambda text: _one_of("security", text.lower(), SECURITY),
    "mechanism": lambda text: _one_of("mechanism", text.upper(), MECHANISMS),
    "username": str,
    "password": str,
    "cafile": str,
    "certfile": str,
    "keyfile": str,
    "keypassword": str,
    "timeout": lambda text: _seconds(text),
    "client_id": str,
}


def parse_address(url: str) -> KafkaAddress:
    """Read the URL; raises CoordinationError (code `bad_log_url`) that says what is wrong and what would be right."""
    scheme, _, rest = url.partition("://")
    if scheme != "kafka" or not rest:
        raise _bad(f"it must begin with kafka://host:port, not with {scheme[:20]!r}")
    hosts, _, query = rest.partition("?")
    values = _values(query)
    address = KafkaAddress(_hosts(hosts.rstrip("/")), **values)
    _check_fits(address, values)
    return address


def _hosts(text: str) -> tuple[str, ...]:
    if "@" in text:
        raise _bad("user name and password belong behind the question mark: ?username=…&password=…")
    if "/" in text:
        raise _bad(f"behind the hosts only a question mark and options may follow, not {text[text.index('/') :]!r}")
    hosts = tuple(filter(None, (host.strip() for host in text.split(","))))
    if not hosts:
        raise _bad("no host is named")
    try:
        found = collect_hosts(list(hosts), randomize=False)
    except ValueError as error:
        raise _bad(f"{text!r} is no list of host:port: {error}") from error
    if wrong := [f"{host}:{port}" for host, port, _ in found if not host or not 0 < port < 65536]:
        raise _bad(f"{wrong[0]!r} is no host:port")
    return hosts


def _values(query: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, equals, text = pair.partition("=")
        if name not in OPTIONS or not equals:
            # Only what looks like a name is repeated: it might be the rest of a password with a bare & in it.
            named = repr(name) if equals and re.fullmatch("[a-z_.-]{1,20}", name) else "like the one given"
            raise _bad(
                f"there is no option {named}; right are {', '.join(OPTIONS)}, each as name=value "
                "with & % and # in values percent-encoded"
            )
        if name in values:
            raise _bad(f"the option {name} is given twice")
        values[name] = OPTIONS[name](_decoded(name, text))
    return values


def _decoded(name: str, text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _bad(f"the value of {name} is not percent-encoded UTF-8") from None


def _check_fits(address: KafkaAddress, values: dict[str, Any]) -> None:
    signing = {"mechanism", "username", "password"} & values.keys()
    files = {"cafile", "certfile", "keyfile", "keypassword"} & values.keys()
    if signing and not address.sasl:
        raise _bad(f"{', '.join(sorted(signing))} need security=sasl_ssl or security=sasl_plaintext")
    if address.sasl and not (address.username and address.password):
        raise _bad(f"security={address.security} needs username and password")
    if files and not address.tls:
        raise _bad(f"{', '.join(sorted(files))} need security=ssl or security=sasl_ssl")
    if address.keyfile and not address.certfile:
        raise _bad("keyfile needs certfile")
    address.sign_in()


def _one_of(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text not in choices:
        raise _bad(f"{name}={text!r} is unknown; right are {', '.join(choices)}")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise _bad(f"timeout={text!r} is no number of seconds between 0.1 and 3600")
    return seconds


def _bad(what: str) -> CoordinationError:
    return CoordinationError(f"The Kafka URL is wrong: {what}.", code="bad_log_url")
