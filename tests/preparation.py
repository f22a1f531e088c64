"""A program for tests: makes the tables, the topics and a user of the installation that the environment names.

    python -m tests.preparation USER PASSWORD

One process, because starting three would take longer than what they do.
"""

import asyncio
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

from dashboard.eventlog import close_eventlog, open_eventlog  # noqa: E402
from dashboard.manifest import manifest  # noqa: E402


async def create_topics() -> None:
    """Create what the manifest declares."""
    await open_eventlog().create_topics(manifest().specs())
    await close_eventlog()


def main(user: str, password: str) -> None:
    """Everything that must be there before the first process starts."""
    call_command("migrate", verbosity=0)
    asyncio.run(create_topics())
    get_user_model().objects.create_superuser(user, password=password)


if __name__ == "__main__":
    main(*sys.argv[1:])
