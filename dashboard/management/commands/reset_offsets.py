"""Let a consumer group begin again elsewhere: first the plan, and with --apply only when it is safe."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand, CommandError

from coordination.errors import CoordinationError
from dashboard import offsetreset
from dashboard.eventlog import close_eventlog, open_eventlog
from dashboard.manifest import manifest


class Command(BaseCommand):
    """`manage.py reset_offsets agent.coder --to earliest`, then the same with `--apply --by NAME`."""

    help = "Show what moving a consumer group would read twice or skip; --apply does it, if the group is not at work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """GROUP --topic --to --apply --by."""
        parser.add_argument("group", help="the consumer group, for instance agent.coder")
        parser.add_argument("--topic", default="", help="default: the topic of tasks")
        parser.add_argument("--to", required=True, help="earliest, latest, an offset, or @milliseconds")
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument("--by", default="", help="who does it, for the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the plan; apply it."""
        if options["apply"] and not options["by"]:
            raise CommandError("--apply needs --by NAME, for the audit trail.")
        try:
            asyncio.run(self._reset(options))
        except KeyError as error:
            raise CommandError(f"There is no topic {error}.") from None
        except ValueError:
            raise CommandError(f"--to {options['to']} means nothing: earliest, latest, an offset, @ms.") from None
        except CoordinationError as error:
            raise CommandError(f"{error} Nothing was changed.") from None

    async def _reset(self, options: dict[str, Any]) -> None:
        log, group = open_eventlog(), options["group"]
        try:
            topic = options["topic"] or manifest().topic_named("run.task.commands")
            after = await offsetreset.targets(log, group, topic, options["to"])
            before = await offsetreset.safe_commits(log, group) if options["apply"] else await log.commits(group)
            moves = await sync_to_async(offsetreset.plan)(group, before, after)
            for move in moves:
                self.stdout.write(_line(move))
            if options["apply"] and moves:
                await offsetreset.apply(log, group, moves)
                await sync_to_async(offsetreset.note)(group, moves, options["by"])
            self.stdout.write(_end(moves, options["apply"]))
        finally:
            await close_eventlog()


def _line(move: offsetreset.Move) -> str:
    before = "no position" if move.before is None else str(move.before)
    back = move.before is not None and move.after < move.before
    what = f"reads {move.tasks} tasks again" if back else f"skips {move.waiting} waiting tasks"
    return f"{move.where.topic}-{move.where.partition}: {before} -> {move.after}, {what}"


def _end(moves: list[offsetreset.Move], applied: bool) -> str:
    if not moves:
        return "Nothing would move."
    return "Done." if applied else "Nothing was changed; --apply does it."
