"""Daphne in this process: pages, API and sockets on one event loop, which Twisted's asyncio reactor shares.

Importing `daphne.server` installs the reactor, so nothing else may have installed one before.
"""

from collections.abc import Callable
from typing import Any

from daphne.server import Server  # type: ignore[import-untyped]


def serve(application: Any, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once the port is bound."""
    Server(
        application=application,
        endpoints=[f"tcp:port={port}:interface={host}"],
        ready_callable=ready,
        application_close_timeout=2,
        server_name="lineside",
    ).run()
