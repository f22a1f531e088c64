"""All sample agents, by group, and all of them at once on one event loop."""

import asyncio
from collections.abc import Callable
from typing import Final

from coordination.agent import Agent
from coordination.eventlog import EventLog
from coordination.manifest import Manifest
from coordination.samples import investigation, refunds
from coordination.samples.director import direct
from coordination.samples.stage import Stage
from coordination.signing import Keyring

GROUPS: Final[dict[str, Callable[[Stage], Agent]]] = {
    "intake": investigation.intake,
    "planner": investigation.planner,
    "prober": investigation.prober,
    "logreader": investigation.logreader,
    "researcher": investigation.researcher,
    "writer": investigation.writer,
    "payer": refunds.payer,
    "ledger": refunds.ledger,
    "validator": refunds.validator,
    "reconciler": refunds.reconciler,
}


def make_agent(group: str, stage: Stage) -> Agent:
    """The agent of a group. Raises KeyError for a group that is none of ours."""
    return GROUPS[group](stage)


async def run_crew(
    log: EventLog, *, stop: asyncio.Event, rate: float, seed: int, manifest: Manifest, keyring: Keyring
) -> None:
    """One instance of each group, and the director, until `stop` is set."""
    stage = Stage(seed=seed, rate=rate, manifest=manifest, keyring=keyring)
    if log.kind in ("memory", "sqlite"):
        await log.create_topics(manifest.specs())
    await asyncio.gather(
        direct(log, stage, stop),
        *(make_agent(group, stage).serve(stop, log=log, agent_id=f"{group}-1") for group in GROUPS),
    )
