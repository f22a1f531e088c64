"""A program for tests: people, the timer, a withdrawal and a new version compete for one request, again and again.

    python -m tests.dashboard.races COUNT SEED

Prints one JSON line for each race: who said they had won, and what stands in the tables, in the outbox, in the audit
trail and, relayed, on the topics about version 1. The database and the folder come from the environment.
"""

import asyncio
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from coordination.approvals import content_hash  # noqa: E402
from coordination.memorylog import MemoryLog  # noqa: E402
from dashboard import approvals, outbox  # noqa: E402
from dashboard.approvals import NotDecided  # noqa: E402
from dashboard.approvals.decisions import VALIDITY  # noqa: E402
from dashboard.clock import database_now  # noqa: E402
from dashboard.models import Approval, Audit, Decision  # noqa: E402
from dashboard.sweep.adoption import adopt_new  # noqa: E402
from dashboard.sweep.timers import take  # noqa: E402
from dashboard.sweep.withdrawals import withdraw  # noqa: E402
from tests.dashboard.cast import PAY, ask, person, say  # noqa: E402
from tests.dashboard.relaying import (  # noqa: E402
    COMMANDS,
    FACTS,
    create_topics,
    on_log,
    relaying,
    release,
    settled,
    tables,
    until,
)

HASH = content_hash(PAY)
ENDS = ("approval.granted", "approval.denied", "approval.expired", "approval.withdrawn")
WINDOW_MS = 12
Contender = Callable[[str, random.Random], str]


def decide(user: User, decision: str) -> Contender:
    """A person who clicks at some moment."""

    def click(approval_id: str, chance: random.Random) -> str:
        time.sleep(chance.uniform(0, WINDOW_MS) / 1000)
        try:
            approvals.decide(
                approval_id=approval_id,
                user=user,
                decision=decision,
                request_version=1,
                content_hash=HASH,
                idempotency_key=f"{approval_id}-{user.pk}",
            )
        except NotDecided as lost:
            return f"{decision} lost: {lost.code}"
        return f"{decision} won"

    return click


def expire(approval_id: str, chance: random.Random) -> str:
    """The timer, which tries until it has fired or somebody else has won."""
    while not take(approval_id, 1, "expire", fresh=True):
        approval = Approval.objects.get(approval_id=approval_id)
        if approval.state != "pending" or approval.version != 1:
            return "expire lost"
    return "expire won"


def end_task(approval_id: str, chance: random.Random) -> str:
    """The task ends, and its request is withdrawn."""
    time.sleep(chance.uniform(0, WINDOW_MS / 4) / 1000)
    say("task.canceled", {}, task=f"task-{approval_id}", attempt=1)
    return "withdraw won" if withdraw(approval_id, 1) else "withdraw lost"


def ask_again(approval_id: str, chance: random.Random) -> str:
    """The agent asks for something else."""
    time.sleep(chance.uniform(0, WINDOW_MS) / 1000)
    ask(approval_id, version=2, task=f"task-{approval_id}")
    adopt_new()
    return "asked again"


def race(approval_id: str, chance: random.Random, contenders: list[Contender], threads: ThreadPoolExecutor) -> Any:
    """One race; returns what the contenders say and what is kept."""
    ask(approval_id, task=f"task-{approval_id}", on_expiry="reject")
    say("task.started", {}, task=f"task-{approval_id}", attempt=1)
    adopt_new()
    expires_at = database_now() + int(chance.uniform(1, 2 * WINDOW_MS) * 1000)
    Approval.objects.filter(approval_id=approval_id).update(expires_at=expires_at)
    start = threading.Barrier(len(contenders))

    def run(contender: Contender, seed: float) -> str:
        start.wait()
        return contender(approval_id, random.Random(seed))

    running = [threads.submit(run, contender, chance.random()) for contender in contenders]
    return {"said": [each.result() for each in running], **kept(approval_id)}


def kept(approval_id: str) -> dict[str, Any]:
    """What the tables, the outbox and the audit trail say of version 1."""
    approval = Approval.objects.get(approval_id=approval_id)
    rows = Decision.objects.filter(approval_id=approval_id, version=1).order_by("saved_at")
    types = [
        value.decode().removeprefix("coordination.")
        for row in rows
        for record in outbox.unpack(row.records)
        for name, value in record.headers
        if name == "ce_type"
    ]
    entries = Audit.objects.filter(subject=f"approval/{approval_id}").values_list("act", "detail")
    ends = [act for act, detail in entries if act in ("approval.expired", "approval.withdrawn")]
    ends += [act for act, detail in entries if act == "approval.vote" and "decision_id" in json.loads(detail)]
    return {
        "approval_id": approval_id,
        "version": approval.version,
        "state": approval.state,
        "facts": [name for name in types if name in ENDS],
        "commands": types.count("task.resume.requested"),
        "audit": ends,
    }


def main(count: int, seed: int) -> None:
    """Race so many times."""
    call_command("migrate", verbosity=0)
    chance = random.Random(seed)
    ana, bo = person("ana"), person("bo")
    rivals: list[Contender] = [decide(bo, "reject"), end_task, ask_again]
    with ThreadPoolExecutor(max_workers=5) as threads:
        lines = []
        for number in range(count):
            others = chance.sample(rivals, chance.randint(0, 2))
            lines.append(race(f"race-{number}", chance, [decide(ana, "approve"), expire, *others], threads))
    told = asyncio.run(relayed())
    for line in lines:
        print(json.dumps(line | {"topic": told.get(line["approval_id"], [])}))


def in_time() -> None:
    """As if the relay came at once: requests last for milliseconds, and nothing is sent past their end."""
    release()
    Decision.objects.exclude(valid_until=None).update(valid_until=database_now() + VALIDITY)


async def relayed() -> dict[str, list[str]]:
    """Relay everything; approval -> the ends of version 1 and commands that stand on the topics then."""
    log = MemoryLog()
    await create_topics(log)
    async with tables() as thread:
        await thread.run(in_time)
    async with tables() as thread, relaying(log):
        await until(thread, settled, 1_800)
    told: dict[str, list[str]] = {}
    for topic in (FACTS, COMMANDS):
        for event in await on_log(log, topic):
            if event.name in (*ENDS, "task.resume.requested") and event.data.request_version == 1:
                told.setdefault(event.data.approval_id, []).append(event.name)
    return told


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.flush()
    # Threads keep their connections; nothing of them is worth waiting for.
    os._exit(0)
