"""The one app of the project."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DashboardConfig(AppConfig):
    """Registers the system checks once the models are there."""

    name = "dashboard"
    label = "dashboard"
    verbose_name = "Lineside"

    def ready(self) -> None:
        """Importing the checks registers them; they need the apps to be loaded."""
        import_module("dashboard.checks")
        post_migrate.connect(_make_roles, sender=self)


def _make_roles(plan: Any = (), **given: Any) -> None:
    """Whoever sets Lineside up finds the roles as groups in the admin. The models must be there to import them."""
    if plan:
        import_module("dashboard.permissions").ensure_roles()
