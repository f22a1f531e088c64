"""Prints what other tools need to watch an installation: rules for Prometheus, a dashboard for Grafana."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.alerts.definitions import grafana_dashboard, prometheus_rules

FILES = {"rules": prometheus_rules, "grafana": grafana_dashboard}


class Command(BaseCommand):
    """`manage.py monitoring rules > lineside.rules.yml`, `manage.py monitoring grafana > lineside.json`."""

    help = "Print a rule file for Prometheus (rules) or a dashboard to import into Grafana (grafana)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """rules or grafana."""
        parser.add_argument("file", choices=sorted(FILES))

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(FILES[options["file"]](), ending="")
