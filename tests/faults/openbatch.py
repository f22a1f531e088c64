"""How to see from outside that a worker has a batch open: by the locks that its transaction holds."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.installation import Installation
from tests.services.process import ServerProcess

# SQLite's WAL index is locked byte by byte; this byte is held by the one connection that writes (see wal.c).
WRITER_BYTE = 120
LOOK_AGAIN = 0.01
STILL_OPEN = """
SELECT count(*) FROM pg_locks AS held JOIN pg_stat_activity AS session USING (pid)
WHERE session.application_name = %s AND held.mode = 'RowExclusiveLock'
AND held.relation = 'dashboard_eventkey'::regclass
"""
# Whether the worker of this name, whose process stands still, has a batch open.
Look = Callable[[str, ServerProcess], bool]


def look_into(installation: Installation) -> Look:
    """The look for the database of an installation. Workers must carry their name in PGAPPNAME."""
    if installation.database.startswith("sqlite"):
        index = Path(f"{installation.folder / 'lineside.sqlite3'}-shm")
        return lambda name, process: _twice(lambda: _writes(index, process.pid))
    return lambda name, process: _twice(lambda: _is_open(installation.database, name))


def _twice(look: Callable[[], bool]) -> bool:
    # The worker stands still but the server does not: a commit that is on its way is over at the second look.
    if not look():
        return False
    time.sleep(LOOK_AGAIN)
    return look()


def _is_open(database: str, name: str) -> bool:
    """Whether a session of that name has written event keys and has not committed; only a batch does that."""
    with psycopg.connect(database) as connection:
        found = connection.execute(STILL_OPEN, [name]).fetchone()
    return found is not None and found[0] > 0


def _writes(index: Path, pid: int) -> bool:
    """Whether a process holds SQLite's write lock. Renewing a lease takes it too, a thousandth of the time."""
    inode = str(index.stat().st_ino)
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if "->" in fields:
            continue  # one that waits
        _, _, _, mode, holder, place, first, last = fields[:8]
        if holder == str(pid) and place.rpartition(":")[2] == inode and mode == "WRITE":
            return int(first) <= WRITER_BYTE and (last == "EOF" or int(last) >= WRITER_BYTE)
    return False
