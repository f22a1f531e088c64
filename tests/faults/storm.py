"""A storm: random faults, one to three at a time, on everything that an installation in production's shape has."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tests.faults.link import Link
from tests.services.process import ServerProcess

MOST_AT_ONCE = 3
Fault = Callable[[], str]


class Server(Protocol):
    """A server of the tests: what a storm does to it."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def kill(self) -> None: ...
    def start(self) -> None: ...


class Storm:
    """Draws faults by its seed. A fault does its harm, waits a while, and takes it back, or lets the victim start
    again; so after each step everything runs, though perhaps not yet at ease.
    """

    def __init__(
        self,
        seed: int,
        processes: Mapping[str, ServerProcess],
        servers: Mapping[str, Server],
        links: Mapping[str, Link],
    ) -> None:
        self._random = random.Random(seed)
        self._targets: dict[str, list[Callable[[str], Fault]]] = {}
        for name, process in processes.items():
            self._targets[name] = [self._pause(process, 13.0), self._kill(process, 2.0), self._stop(process)]
        for name, server in servers.items():
            self._targets[name] = [self._pause(server, 4.0), self._pause(server, 1.0), self._kill(server, 3.0)]
        for name, link in links.items():
            self._targets[name] = [self._slow(link), self._silence(link), self._cut(link)]
        self.steps = 0

    def step(self) -> list[str]:
        """One to three faults on different victims at once; what they were."""
        count = self._random.randint(1, MOST_AT_ONCE)
        victims = self._random.sample(sorted(self._targets), count)
        faults = [self._random.choice(self._targets[name])(name) for name in victims]
        with ThreadPoolExecutor(len(faults)) as together:
            told = list(together.map(lambda fault: fault(), faults))
        self.steps += len(told)
        return told

    def _seconds(self, least: float, most: float) -> float:
        # Short ones are many, for most races are short.
        return min(most, least + self._random.expovariate(3 / most))

    def _pause(self, victim: Server, most: float) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} paused", self._seconds(0.1, most), victim.pause, victim.resume)

    def _kill(self, victim: Server, most: float) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} killed", self._seconds(0.0, most), victim.kill, victim.start)

    def _stop(self, victim: ServerProcess) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} stopped", self._seconds(0.0, 1.0), victim.stop, victim.start)

    def _slow(self, link: Link) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} slow", self._seconds(1.0, 8.0), lambda: link.slow(0.05), link.heal)

    def _silence(self, link: Link) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} silent", self._seconds(0.1, 6.0), link.silent, link.heal)

    def _cut(self, link: Link) -> Callable[[str], Fault]:
        return lambda name: self._during(f"{name} cut", self._seconds(0.1, 3.0), link.cut, link.heal)

    def _during(self, what: str, seconds: float, harm: Callable[[], None], heal: Callable[[], None]) -> Fault:
        def fault() -> str:
            harm()
            time.sleep(seconds)
            heal()
            return f"{what} for {seconds:.1f} s"

        return fault
