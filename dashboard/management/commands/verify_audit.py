"""`manage.py verify_audit`: compute the chains again, compare them with the log, name the first broken link."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.errors import CoordinationError
from dashboard.audit import Broken, verify
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.manifest import manifest
from dashboard.models import Audit
from dashboard.publishedheads import PublishedHead, first_contradiction, published_heads, stored_heads
from dashboard.recordchain import verify_records


class Command(BaseCommand):
    """Exit code 0: trail, log and stored records agree; 1: they do not, and the first broken link is named.

    Three things are compared: each entry of the trail with the one before it; the trail with its heads on the log;
    the stored records with the heads that ingest entered in the trail. Entries after the last head on the log are
    the tail that is not anchored yet: whoever may write the database could still write it anew.
    """

    help = "Compute the hash chains of audit trail and stored records again; name the first broken link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--expect, --no-log, --no-records."""
        parser.add_argument("--expect", metavar="NUMBER:DIGEST", default="", help="an entry that must still be there")
        parser.add_argument("--no-log", action="store_true", help="do not ask the log for the heads it holds")
        parser.add_argument("--no-records", action="store_true", help="leave the stored records alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and print how long the chain is, what it ends with and up to where it is anchored."""
        self._loud = options["verbosity"] > 0
        _hold(verify())
        if options["expect"]:
            _compare(options["expect"])
        heads = [] if options["no_log"] else self._published()
        _hold(first_contradiction(stored_heads()))
        _hold(first_contradiction(heads))
        broken = [] if options["no_records"] else list(verify_records())
        self._say_trail()
        self._say_anchor(heads)
        if broken:
            raise CommandError("Stored records are not what was read. " + " ".join(f"{each.words}." for each in broken))
        if not options["no_records"]:
            self._say("Stored records lead to every head that was entered for them.")

    def _published(self) -> list[PublishedHead]:
        try:
            return asyncio.run(_ask())
        except (CoordinationError, OSError) as error:
            self._say(f"The log does not answer ({error}); the trail is compared with this database's memory alone.")
            return []

    def _say_trail(self) -> None:
        last = Audit.chain.order_by("-number").first()
        if last is None:
            self._say("The audit trail is empty.")
            return
        self._say(f"{last.number} entries, each continues the one before it. The last is:")
        self._say(f"{last.number}:{last.digest}")

    def _say_anchor(self, heads: list[PublishedHead]) -> None:
        last = Audit.chain.order_by("-number").values_list("number", flat=True).first() or 0
        head = max((*heads, *stored_heads()), key=lambda each: each.number, default=None)
        if head is None:
            self._say("No head of it stands on the log: no entry is anchored yet.")
        elif head.number >= last:
            self._say(f"All of it is anchored on the log, by {head.place}.")
        else:
            tail = f"entries {head.number + 1} to {last}" if last > head.number + 1 else f"entry {last}"
            self._say(f"Anchored on the log up to entry {head.number}, by {head.place}; {tail} not anchored yet.")

    def _say(self, words: str) -> None:
        if self._loud:
            self.stdout.write(words)


async def _ask() -> list[PublishedHead]:
    try:
        return await published_heads(open_eventlog(), manifest())
    finally:
        await close_eventlog()


def _hold(broken: Broken | None) -> None:
    if broken is not None:
        raise CommandError(f"The audit trail is broken at entry {broken.number}: {broken.reason}.")


def _compare(expected: str) -> None:
    number, _, digest = expected.partition(":")
    if not (number.isascii() and number.isdigit() and digest):
        raise CommandError("--expect takes NUMBER:DIGEST, as this command prints it.")
    entry = Audit.chain.filter(number=int(number[:18])).first()
    if entry is None:
        raise CommandError(f"The audit trail is broken: entry {number} was there once and is gone.")
    if entry.digest != digest:
        raise CommandError(f"The audit trail is broken: entry {number} is another one than it was.")
