"""Flower: Celery's events of each task, through Redis.

python flowertasks.py RUNS TASKS PORT REDIS_URL
"""

import sys
import uuid

from celery import Celery
from work import Server, ask, measure, runs


def main(count: int, tasks: int, port: int, redis: str) -> None:
    """Start Flower, send events, say what it took. It holds at most `max_tasks` in memory, here all of them."""
    total = count * tasks
    command = [sys.executable, "-m", "celery", "-b", redis, "flower", f"--port={port}", f"--max_tasks={total}"]
    server = Server(command, f"http://127.0.0.1:{port}/healthcheck", {"FLOWER_UNAUTHENTICATED_API": "true"})
    app = Celery(broker=redis)

    def feed() -> None:
        with app.connection() as connection, app.events.Dispatcher(connection, hostname="bench@here") as say:
            for run in runs(count, tasks):
                for task in run:
                    about = {"uuid": str(uuid.uuid4()), "name": task.name}
                    say.send("task-received", args="()", kwargs="{}", retries=0, **about)
                    say.send("task-started", pid=1, **about)
                    if task.failed:
                        say.send("task-failed", exception="ValueError()", traceback="", **about)
                    else:
                        say.send("task-succeeded", result="1", runtime=0.1, **about)

    def seen() -> int:
        found = ask(f"http://127.0.0.1:{port}/api/tasks?limit={total}")
        return sum(task["state"] in ("SUCCESS", "FAILURE") for task in found.values())

    try:
        measure(server, total, feed, seen, 120)
    finally:
        server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), redis=sys.argv[4])
