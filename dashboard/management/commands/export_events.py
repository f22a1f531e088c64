"""`manage.py export_events FILE`: events as CSV, JSON lines or Parquet, for analytics elsewhere."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from coordination.errors import CoordinationError
from dashboard.audit import enter
from dashboard.eventexport import FORMATS, as_csv, as_json, rows, write_parquet


class Command(BaseCommand):
    """Reads the stored records, so the log is not touched. Payloads come as the masking policy leaves them."""

    help = "Export events as CSV, JSON lines or Parquet. FILE - is standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE, --format, --run, --since, --until, --type, --by."""
        parser.add_argument("file", help="where to write; - for standard output")
        parser.add_argument("--format", choices=FORMATS, help="default: by the file's ending, else csv")
        parser.add_argument("--run", default="", help="events of one run only")
        parser.add_argument("--since", help="from this instant on (RFC 3339)")
        parser.add_argument("--until", help="before this instant (RFC 3339)")
        parser.add_argument("--type", default="", help="types that begin with this, for instance task.")
        parser.add_argument("--by", default="command", help="who exports, for the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export."""
        target, form = options["file"], options["format"]
        form = form or {".json": "json", ".ndjson": "json", ".parquet": "parquet"}.get(Path(target).suffix, "csv")
        asked = {"run_id": options["run"], "types": options["type"]}
        found = rows(**asked, since=_instant(options["since"]), until=_instant(options["until"]))
        enter(f"command/{options['by']}", "events.exported", f"run/{options['run']}", {"format": form, **asked})
        try:
            self._write(target, form, found)
        except (CoordinationError, OSError) as error:
            raise CommandError(str(error)) from error

    def _write(self, target: str, form: str, found: Any) -> None:
        if form == "parquet":
            if target == "-":
                raise CommandError("Parquet cannot be written to standard output; name a file.")
            with Path(target).open("wb") as file:
                self.stderr.write(f"{write_parquet(found, file)} events.")
            return
        lines = as_csv(found) if form == "csv" else as_json(found)
        if target == "-":
            sys.stdout.writelines(lines)
            return
        with Path(target).open("w", newline="") as file:
            file.writelines(lines)


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError(f"{text!r} is no instant; write it as 2026-05-01T13:00:00Z.")
    return int(found.timestamp() * 1_000_000)
