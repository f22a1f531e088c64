"""`manage.py verify_audit`: compute the audit chain again and name its first broken link."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.audit import verify
from dashboard.models import Audit


class Command(BaseCommand):
    """Exit code 0: the chain holds; 1: it does not, and the first broken link is named.

    A chain cannot tell that its last entries are gone. Whoever keeps the last line this command printed, outside
    of the database, can: `--expect` compares.
    """

    help = "Compute the hash chain of the audit trail again; name the first broken link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--expect."""
        parser.add_argument("--expect", metavar="NUMBER:DIGEST", default="", help="an entry that must still be there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and print how long the chain is and what it ends with."""
        broken = verify()
        if broken is not None:
            raise CommandError(f"The audit trail is broken at entry {broken.number}: {broken.reason}.")
        if options["expect"]:
            _compare(options["expect"])
        last = Audit.objects.order_by("-number").first()
        if options["verbosity"] < 1:
            return
        if last is None:
            self.stdout.write("The audit trail is empty.")
        else:
            self.stdout.write(f"{last.number} entries, each continues the one before it. The last is:")
            self.stdout.write(f"{last.number}:{last.digest}")


def _compare(expected: str) -> None:
    number, _, digest = expected.partition(":")
    if not (number.isascii() and number.isdigit() and digest):
        raise CommandError("--expect takes NUMBER:DIGEST, as this command prints it.")
    entry = Audit.objects.filter(number=int(number[:18])).first()
    if entry is None:
        raise CommandError(f"The audit trail is broken: entry {number} was there once and is gone.")
    if entry.digest != digest:
        raise CommandError(f"The audit trail is broken: entry {number} is another one than it was.")
