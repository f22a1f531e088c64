"""The database's clock: whether a deadline has passed must not depend on the web host that was asked."""

from typing import Final

from django.db import connection

NOW: Final = {
    "postgresql": "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000",
}


def database_now() -> int:
    """Microseconds since 1970 UTC by the database's clock (SQLite: to the millisecond)."""
    with connection.cursor() as cursor:
        cursor.execute(NOW[connection.vendor])
        row = cursor.fetchone()
    return int(row[0])
