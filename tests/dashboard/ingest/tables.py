"""Running a test against PostgreSQL although the settings say SQLite: another database behind `connection`."""

from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
from django.db import connections


@contextmanager
def other_database(url: str) -> Iterator[None]:
    """Inside, the default connection of every thread is the database of this URL."""
    kept = connections.settings["default"]
    settings = connections.configure_settings({"default": dict(dj_database_url.parse(url))})["default"]
    connections["default"].close()
    connections.settings["default"] = settings
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = kept
        del connections["default"]
