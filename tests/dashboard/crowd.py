"""A program for tests: many people decide on one request at the same moment, from several processes.

    python -m tests.dashboard.crowd PEOPLE PROCESSES [new | apart | quorum]

With `new` nobody has taken the request up yet: its approval row is made by the first of them. With `apart` everyone
decides on a request of their own. With `quorum` two must agree, one of finance and one of risk; the people
are of three groups, every tenth asks for themselves, and all of them approve. Every person is a thread of one of the
processes. All wait for one byte, then decide; each prints one JSON line with what they were told. In the end the
audit trail is verified. The database and the folder come from the environment.
Processes are forked from one that has Django loaded and no connection.
"""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from coordination.approvals import content_hash  # noqa: E402
from dashboard import approvals  # noqa: E402
from dashboard.audit import verify  # noqa: E402
from dashboard.sweep.adoption import adopt_new  # noqa: E402
from tests.dashboard.cast import PAY, ask, person  # noqa: E402

HASH = content_hash(PAY)
GROUPS = ("finance", "risk", "support")
# All stand in line for one row: on a slow machine for longer than a page waits until it says that the database is away.
connection.settings_dict["OPTIONS"].get("pool", {})["timeout"] = 120


def forked(work: Callable[[], None]) -> int:
    """Start the work in a process of its own; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def prepare(people: int, how: str) -> None:
    """Tables, people, one request or one for each."""
    call_command("migrate", verbosity=0)
    quorum = how == "quorum"
    for number in range(people):
        person(f"person-{number}", *([GROUPS[number % 3]] if quorum else []))
    policy = {"rule": "quorum", "quorum": 2, "required_groups": ["finance", "risk"]}
    given = {"policy": policy, "on_behalf_of": [f"person-{one}" for one in range(0, people, 10)]} if quorum else {}
    for number in range(people if how == "apart" else 1):
        ask(f"ask-{number}", task=f"task-{number}", **given)
    if how != "new":
        adopt_new()
    connections.close_all()


def crowd(names: list[str], start: int, how: str) -> None:
    """Let these people decide as soon as `start` (a file descriptor) can be read."""
    told: list[str] = []
    ready = threading.Barrier(len(names) + 1)
    threads = [threading.Thread(target=_decide, args=(name, ready, told, how)) for name in names]
    for thread in threads:
        thread.start()
    os.read(start, 1)
    ready.wait()
    for thread in threads:
        thread.join()
    sys.stdout.write("".join(f"{line}\n" for line in told))
    sys.stdout.flush()


def _decide(name: str, ready: threading.Barrier, told: list[str], how: str) -> None:
    user = User.objects.get(username=name)
    connection.close()
    ready.wait()
    began = time.monotonic()
    decision = "approve" if how == "quorum" else ("approve", "reject")[int(name[-1]) % 2]
    try:
        saved = approvals.decide(
            approval_id=f"ask-{name.partition('-')[2]}" if how == "apart" else "ask-0",
            user=user,
            decision=decision,
            request_version=1,
            content_hash=HASH,
            comment=f"{name} thinks so",
        )
        line = {"person": name, "won": bool(saved.decision_id), "decision_id": saved.decision_id, "decision": decision}
        line["voted"] = True
    except approvals.AlreadyDecided as lost:
        line = {"person": name, "won": False, "winner": lost.winner, "decision": lost.decision, "when": lost.when}
    except approvals.NotAllowed as refused:
        line = {"person": name, "won": False, "refused": refused.reason}
    except Exception as error:
        line = {"person": name, "won": False, "error": repr(error)}
    connection.close()
    told.append(json.dumps(line | {"seconds": time.monotonic() - began}))


def check_audit() -> None:
    """End with an error unless the audit trail is whole."""
    broken = verify()
    if broken is not None:
        raise AssertionError(broken)


def main(people: int, processes: int, how: str) -> int:
    """Exit code 0 when every process ended well and the audit trail is whole."""
    if os.waitpid(forked(lambda: prepare(people, how)), 0)[1]:
        return 2
    start, go = os.pipe()
    names = [f"person-{number}" for number in range(people)]
    pids = [forked(lambda n=n: crowd(names[n::processes], start, how)) for n in range(processes)]  # type: ignore[misc]
    time.sleep(1.0)
    os.write(go, b"x" * processes)
    if max(os.waitpid(pid, 0)[1] for pid in pids):
        return 3
    return os.waitpid(forked(check_audit), 0)[1]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), (*sys.argv[3:], "")[0]))
