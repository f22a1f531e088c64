"""The database goes away while decisions are being relayed, and comes back: nothing is missing, nothing is double."""

import time
from pathlib import Path

import psycopg

from coordination.sqlitelog import SqliteLog
from tests.faults.test_relay_killed import check, ended, start
from tests.services.postgres import PostgresServer

COUNT = 60


def sent(url: str) -> int:
    """How many decisions are published; 0 while there are no tables yet."""
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM dashboard_decision WHERE state = 'published'").fetchone()
    except psycopg.Error:
        return 0
    return int(row[0]) if row else 0


async def test_the_relay_goes_on_when_its_database_is_back(
    postgres: PostgresServer, database_url: str, tmp_path: Path
) -> None:
    environment = {"LINESIDE_STATE": str(tmp_path), "LINESIDE_DATABASE_URL": database_url}
    running = start(environment, COUNT, ["slow"], 11)
    limit = time.monotonic() + 60
    while running.poll() is None and not 8 <= sent(database_url) < COUNT and time.monotonic() < limit:
        time.sleep(0.02)
    postgres.kill()
    time.sleep(1)
    postgres.revive()
    before = sent(database_url)
    told = ended(running, [])
    assert 0 < before < COUNT
    log = SqliteLog(tmp_path / "log.sqlite3")
    await check(log, "coord", told, COUNT)
    await log.close()
