"""The director starts runs: a handful at once, then one every few seconds, incidents and refund batches in turn.

Run k is the same for the same seed. After a restart it goes on behind the last run that the log knows.
"""

import asyncio
import contextlib
from typing import Final

import msgspec

from coordination.agent import Client
from coordination.envelope import decode
from coordination.errors import MalformedRecord
from coordination.eventlog import EventLog, TopicPartition
from coordination.samples.incidents import incident
from coordination.samples.refundbatches import batch
from coordination.samples.stage import Stage

AT_ONCE: Final = 5
EVERY: Final = 18.0
FIRST_INCIDENT: Final = 4400
FIRST_BATCH: Final = 1101


async def direct(log: EventLog, stage: Stage, stop: asyncio.Event) -> None:
    """Start runs until `stop` is set."""
    client = Client(log, "director", deployment="demo", manifest=stage.manifest)
    number = await started(log, stage)
    first = number == 0
    while not stop.is_set():
        for _ in range(AT_ONCE if first else 1):
            await start(client, stage, number)
            number += 1
        first = False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY / stage.rate)


async def start(client: Client, stage: Stage, number: int) -> str:
    """Start run `number`, counted from 0; returns its id."""
    place, kind = divmod(number, 2)
    if kind == 0:
        one = incident(stage.chance("incident", place), FIRST_INCIDENT + place)
        run_id = f"inv-{one.number}-r{stage.seed}"
        await client.start_run(
            run_id,
            "investigate incident",
            "intake",
            name=one.title,
            workflow="incident investigation",
            trigger="alert",
            input=msgspec.to_builtins(one),
        )
        return run_id
    two = batch(stage.chance("batch", place), FIRST_BATCH + place)
    run_id = f"rfb-{two.number}-r{stage.seed}"
    await client.start_run(
        run_id,
        "refund batch",
        "payer",
        name=two.title,
        workflow="refund batch",
        trigger="schedule",
        input=msgspec.to_builtins(two),
    )
    return run_id


async def started(log: EventLog, stage: Stage) -> int:
    """How many runs of this seed the log knows: the number of the next one."""
    topic = stage.manifest.topic_for("run.started")
    info = (await log.topics()).get(topic)
    partitions = [TopicPartition(topic, number) for number in range(info.partitions if info else 0)]
    ends = await log.ends(partitions)
    reader = await log.reader({where: end.begin for where, end in ends.items()})
    known: set[str] = set()
    try:
        while any(reader.positions()[where] < end.stable for where, end in ends.items()):
            for record in await reader.read(1_000, 0.5):
                with contextlib.suppress(MalformedRecord):
                    event = decode(record)
                    if event.name == "run.started" and event.run_id.endswith(f"-r{stage.seed}"):
                        known.add(event.run_id)
    finally:
        await reader.close()
    return len(known)
