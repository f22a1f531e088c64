"""`manage.py gaps`: where records are lost, and `--accept` to let ingest go on behind it."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from coordination.instants import rfc3339
from dashboard.audit import enter
from dashboard.gaps import accept
from dashboard.models import Gap


class Command(BaseCommand):
    """A gap is never closed by itself: what people would not see must be seen by one of them first."""

    help = "List gaps in the log that stop ingest; --accept lets it go on where the log can be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--accept, --by."""
        parser.add_argument("--accept", type=int, metavar="NUMBER", help="the number of a gap as listed")
        parser.add_argument("--by", default="", help="who accepts it (default: the user of this machine)")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or accept one."""
        if options["accept"] is not None:
            self._accept(options["accept"], options["by"] or getpass.getuser())
            return
        gaps = Gap.objects.filter(accepted_at=None).order_by("pk")
        for gap in gaps:
            place = f"{gap.topic}-{gap.partition} at {gap.expected_offset}"
            self.stdout.write(f"{gap.pk}  {rfc3339(gap.found_at)}  {place}  {gap.kind}: {gap.message}")
        if not gaps:
            self.stdout.write("There is no gap.")

    def _accept(self, number: int, by: str) -> None:
        gap = Gap.objects.filter(pk=number).first()
        if gap is None:
            raise CommandError(f"There is no gap {number}; `manage.py gaps` lists them.")
        with transaction.atomic():
            if not accept(gap, by):
                raise CommandError(f"Gap {number} was accepted before, by {gap.accepted_by}.")
            place = f"{gap.topic}-{gap.partition}"
            enter(f"command/{by}", "gap.accepted", f"gap/{number}", {"place": place, "message": gap.message})
        self.stdout.write(f"Accepted; shard {gap.shard} goes on within seconds.")
