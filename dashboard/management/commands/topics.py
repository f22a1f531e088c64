"""`manage.py topics`: the declared topics against the log's; `--apply` makes and corrects them."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable

from django.core.management.base import BaseCommand, CommandError

from coordination.errors import CoordinationError
from coordination.eventlog import EventLog
from coordination.topicplan import DIFFERS, MISSING, UNKNOWN, UNREADABLE, Plan, TopicPlan
from dashboard.declared import plan_of
from dashboard.eventlog import close_eventlog, open_eventlog

WIDTH: Final = 12


@runtime_checkable
class Configurable(Protocol):
    """A log whose topics can be given other settings."""

    async def configure_topic(self, name: str, config: Mapping[str, str]) -> None:
        """Set these settings and leave the others alone."""
        ...


class Command(BaseCommand):
    """Exit code 0: all is as declared (now); 1: something is missing or differs, or the log is out of reach."""

    help = "Compare the declared topics with the log's; --apply creates what is missing and sets what is safe to set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--apply, --replication."""
        parser.add_argument("--apply", action="store_true", help="create what is missing, set what is safe to set")
        parser.add_argument("--replication", type=int, default=1, help="copies of each record (3 in production)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, or plan and apply."""
        if options["replication"] < 1:
            raise CommandError("--replication must be at least 1.")
        self._loud = options["verbosity"] > 0
        try:
            plan = asyncio.run(self._run(options["replication"], apply=options["apply"]))
        except CoordinationError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The topic mapping cannot be read: {error}") from error
        self._sum_up(plan, applied=options["apply"])

    async def _run(self, replication: int, *, apply: bool) -> Plan:
        log = open_eventlog()
        try:
            plan = await plan_of(log, replication)
            if apply:
                await self._apply(log, plan)
                plan = await plan_of(log, replication)
            for topic in plan.topics:
                self._tell(topic)
            return plan
        finally:
            await close_eventlog()

    async def _apply(self, log: EventLog, plan: Plan) -> None:
        await log.create_topics(plan.to_create)
        for spec in plan.to_create:
            self._say("created", f"{spec.name}  {spec.partitions} partitions, {spec.config['cleanup.policy']}")
        if isinstance(log, Configurable):
            for name, settings in plan.to_configure.items():
                await log.configure_topic(name, settings)
                self._say("set", f"{name}  {', '.join(f'{key}={value}' for key, value in settings.items())}")
        elif plan.to_configure:
            self._say("kept", f"this log ({log.kind}) keeps the settings that a topic was made with")

    def _tell(self, topic: TopicPlan) -> None:
        words = "; ".join(f"{one.words}. {one.advice}".strip() for one in topic.differences)
        if topic.state == MISSING and topic.mapped:
            words = "is mapped by LINESIDE_TOPICS, but not on the log: correct the mapping, or make it there."
        elif topic.state == UNKNOWN:
            words = "is on the log under our names, but not declared."
        elif topic.state == UNREADABLE:
            words = "its settings cannot be read: give this user the right DescribeConfigs on topics."
        self._say(topic.state, f"{topic.name}  {words}".rstrip())

    def _say(self, what: str, words: str) -> None:
        if self._loud:
            self.stdout.write(f"{what:<{WIDTH}} {words}")

    def _sum_up(self, plan: Plan, *, applied: bool) -> None:
        missing, differing = len(plan.in_state(MISSING)), len(plan.in_state(DIFFERS))
        if plan.settled:
            if self._loud:
                others = f"; {plan.others} topics of others" if plan.others else ""
                self.stdout.write(f"All {sum(one.spec is not None for one in plan.topics)} topics stand{others}.")
            return
        hint = "What is left is for a person." if applied else "`--apply` sets right what is safe."
        raise CommandError(f"{missing} topics are missing, {differing} differ. {hint}")
