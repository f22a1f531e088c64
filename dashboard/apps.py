"""The one app of the project."""

from importlib import import_module

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Registers the system checks once the models are there."""

    name = "dashboard"
    label = "dashboard"
    verbose_name = "Lineside"

    def ready(self) -> None:
        """Importing the checks registers them; they need the apps to be loaded."""
        import_module("dashboard.checks")
