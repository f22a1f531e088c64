"""`manage.py demo`: log, database, pages, background roles and a crew of agents in one process."""

import asyncio
import logging
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from dashboard.asgi import application
from dashboard.crew import Crew
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.manifest import manifest
from dashboard.runtime import Runtime
from dashboard.server import serve
from dashboard.signinlinks import ensure_user, new_link

HOST: Final = "127.0.0.1"
USER: Final = "demo"


class Command(BaseCommand):
    """Everything in one process, with demo agents; keeps running until Ctrl-C."""

    help = "Run everything in one process on an embedded log, with demo agents at work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--port, --state, --log, --rate, --seed, --no-agents."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--state", help="folder of everything kept on this machine (default: var/)")
        parser.add_argument("--log", help="run on another log, for instance kafka://localhost:9092")
        parser.add_argument("--rate", type=float, default=1.0, help="how busy the agents are; 2 is twice as busy")
        parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same runs")
        parser.add_argument("--no-agents", action="store_true", help="no demo agents: bring your own")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C."""
        port = options["port"]
        self._check_port(port)
        Path(settings.LINESIDE_STATE).mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        asyncio.run(create_topics())
        ensure_user(USER)
        runtime = Runtime()
        crew = None if options["no_agents"] else Crew(rate=options["rate"], seed=options["seed"])

        def ready() -> None:
            runtime.start()
            if crew is not None:
                crew.start()
            self.stdout.write(f"Open {new_link(USER, port=port)}")
            self.stdout.flush()

        try:
            serve(application, host=HOST, port=port, ready=ready)
        finally:
            if crew is not None:
                crew.stop()
            if not runtime.stop():
                logging.getLogger(__name__).warning("A background role did not end within its time.")

    def _check_port(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise CommandError(f"Port {port} is taken ({error.strerror}); choose another with --port.") from None


async def create_topics() -> None:
    """Make the topics that are missing; those that are there stay as they are."""
    try:
        await open_eventlog().create_topics(manifest().specs())
    finally:
        await close_eventlog()
