"""`python -m coordination.samples GROUP`: one instance of a sample agent, or the director, as a process."""

import argparse
import asyncio
import logging
import signal

from coordination.agent import open_log
from coordination.manifest import Manifest
from coordination.samples.crew import GROUPS, make_agent
from coordination.samples.director import direct
from coordination.samples.stage import Stage
from coordination.signing import Keyring


async def work(options: argparse.Namespace) -> None:
    """Work until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    manifest = Manifest(options.namespace)
    stage = Stage(seed=options.seed, rate=options.rate, manifest=manifest, keyring=Keyring.from_environment())
    log = open_log(options.log)
    try:
        if options.group == "director":
            await direct(log, stage, stop)
        else:
            await make_agent(options.group, stage).serve(stop, log=log, agent_id=options.instance)
    finally:
        await log.close()


def main() -> None:
    """Read the command line and work."""
    parser = argparse.ArgumentParser(prog="python -m coordination.samples", description=__doc__)
    parser.add_argument("group", choices=[*GROUPS, "director"])
    parser.add_argument("--log", default="", help="address of the log (default: LINESIDE_LOG)")
    parser.add_argument("--instance", default="", help="name of this instance")
    parser.add_argument("--namespace", default="coord")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=1.0)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
