"""The one app of the project."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Registers the system checks once the models are there."""

    name = "dashboard"
    label = "dashboard"
    verbose_name = "Lineside"
