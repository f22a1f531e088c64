"""A process of its own that appends to an SQLite log: `python -m tests.coordination.sqliteprocess FILE TOPIC NAME N`.

It prints the value of each record once its append has returned, so that what it printed must be in the log.
"""

import asyncio
import sys

from coordination.eventlog import NewRecord
from coordination.sqlitelog import SqliteLog


async def main(path: str, topic: str, name: str, count: int) -> None:
    """Append `count` records `<name>-<number>`, one at a time."""
    log = SqliteLog(path)
    for number in range(count):
        value = f"{name}-{number}"
        await log.append([NewRecord(topic, name.encode(), value.encode())])
        print(value, flush=True)
    await log.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
