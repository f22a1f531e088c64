"""`manage.py summaries`: publish the compacted state topics once, or check them against the tables."""

import asyncio
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coordination.errors import CoordinationError
from dashboard.databasethread import DatabaseThread
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.summaries import compare, newest, publish

SHOWN: Final = 10


class Command(BaseCommand):
    """Exit code 1: a summary on the log says something else than the tables of the same version."""

    help = "Compare the compacted state topics with the tables; --publish first publishes what is due."

    def add_arguments(self, parser: CommandParser) -> None:
        """--publish."""
        parser.add_argument("--publish", action="store_true", help="publish what changed since the last time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish if asked to, then compare."""
        try:
            told = asyncio.run(_told(publish_first=options["publish"]))
        except CoordinationError as error:
            raise CommandError(str(error)) from error
        found = compare(told)
        self.stdout.write(f"{found.equal:,} summaries are as the tables are, {found.behind:,} are older.")
        if found.different:
            names = ", ".join(each.key for each in found.different[:SHOWN])
            raise CommandError(f"{len(found.different):,} summaries differ: {names}")


async def _told(*, publish_first: bool) -> dict[tuple[str, ...], Any]:
    database = DatabaseThread("summaries")
    try:
        log = open_eventlog()
        while publish_first and await publish(log, database):
            continue
        return await newest(log)
    finally:
        await database.close()
        await close_eventlog()
