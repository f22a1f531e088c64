"""A 64-bit key that we choose ourselves, stored without a second index."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class RowIdField(models.BigIntegerField):  # type: ignore[type-arg]  # generic in the stubs only
    """A BigIntegerField that is SQLite's own row id, which needs exactly the type `integer`.

    As `bigint PRIMARY KEY` SQLite would keep the table twice: once by row id, once in an index of keys.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """`integer` on SQLite (64 bits there), `bigint` elsewhere."""
        return "integer" if connection.vendor == "sqlite" else "bigint"
