"""An agent as its author writes it: handlers by task type, subscriptions to facts, and `run`."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import uuid4

from coordination.agent.context import TaskContext
from coordination.agent.factcontext import FactContext
from coordination.agent.instance import Instance
from coordination.agent.openlog import open_log
from coordination.agent.retry import Retry
from coordination.agent.runtime import Runtime
from coordination.agent.spec import FactHandler, Spec, TaskHandler
from coordination.agent.voice import Clock, Identity, system_clock
from coordination.errors import CoordinationError
from coordination.event import Event
from coordination.eventlog import EventLog
from coordination.events import CATALOGUE
from coordination.manifest import Manifest
from coordination.signing import Keyring

TaskFunction = TypeVar("TaskFunction", bound=Callable[[TaskContext], Coroutine[Any, Any, Any]])
FactFunction = TypeVar("FactFunction", bound=Callable[[FactContext], Coroutine[Any, Any, Any]])


class Agent:
    """One agent type. Its instances share the work of the consumer group `agent.<group>`.

    `log` is an open EventLog or an address (`sqlite:///path`, `kafka://host:port`, `https://…`). `agent_id` names
    this replica, and is made up when missing. Without a `keyring` the public keys come from the environment. Other
    keyword arguments are those of `spec.Spec`: concurrency, prefetch, heartbeat, grace and so on.
    """

    def __init__(
        self,
        group: str,
        *,
        log: EventLog | str = "",
        agent_id: str = "",
        tenant: str = "default",
        deployment: str = "lineside",
        namespace: str = "coord",
        manifest: Manifest | None = None,
        keyring: Keyring | None = None,
        retry: Retry | None = None,
        clock: Clock = system_clock,
        **limits: Any,
    ) -> None:
        self.group = group
        self._log = log
        self._tenant, self._deployment, self._agent_id = tenant, deployment, agent_id
        self._retry = retry or Retry()
        self._clock = clock
        self._tasks: dict[str, TaskHandler] = {}
        self._compensations: dict[str, TaskHandler] = {}
        self._facts: dict[str, FactHandler] = {}
        self._limits = limits
        self._manifest = manifest or Manifest(namespace)
        self._keyring = Keyring.from_environment() if keyring is None else keyring

    def task(
        self,
        task_type: str,
        *,
        retry: Retry | None = None,
        timeout: float | None = None,
        cancelable: bool = True,
        ends_run: bool = False,
    ) -> Callable[[TaskFunction], TaskFunction]:
        """The handler of tasks of this type; what it returns is the task's output."""

        def register(run: TaskFunction) -> TaskFunction:
            _add(
                self._tasks,
                task_type,
                TaskHandler(
                    task_type=task_type,
                    run=run,
                    retry=retry or self._retry,
                    timeout=timeout,
                    cancelable=cancelable,
                    ends_run=ends_run,
                ),
            )
            return run

        return register

    def compensation(
        self, task_type: str, *, retry: Retry | None = None, timeout: float | None = None
    ) -> Callable[[TaskFunction], TaskFunction]:
        """How the effects of tasks of this type are undone; `output` of the context is what the task returned."""

        def register(run: TaskFunction) -> TaskFunction:
            handler = TaskHandler(task_type=task_type, run=run, retry=retry or self._retry, timeout=timeout)
            _add(self._compensations, task_type, handler)
            return run

        return register

    def on(
        self,
        fact: str,
        *,
        when: Callable[[Event], bool] = lambda event: True,
        retry: Retry | None = None,
        timeout: float | None = None,
    ) -> Callable[[FactFunction], FactFunction]:
        """Subscribe to facts of one type (catalogue name) for which `when` holds."""
        entry = CATALOGUE.get(fact)
        if entry is None or entry.kind != "fact" or entry.topic.startswith("review."):
            raise CoordinationError(f"{fact!r} is no fact that agents may subscribe to.", code="bad_subscription")

        def register(run: FactFunction) -> FactFunction:
            handler = FactHandler(fact=fact, run=run, when=when, retry=retry or self._retry, timeout=timeout)
            _add(self._facts, fact, handler)
            return run

        return register

    def run(self) -> None:
        """Run one instance in this process until SIGINT or SIGTERM, then finish or give back what it has."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        asyncio.run(self._run())

    async def serve(self, stop: asyncio.Event, *, log: EventLog | None = None, agent_id: str = "") -> None:
        """Run one instance on the running loop until `stop` is set. May be called several times at once."""
        given = log if log is not None else self._log
        opened = open_log(given) if isinstance(given, str) else given
        try:
            if opened.kind in ("memory", "sqlite"):
                # On Kafka topics are created by whoever may; a file of our own has nobody else to do it.
                await opened.create_topics(self._manifest.specs())
            await Runtime(self._instance(opened, agent_id or self._agent_id)).run(stop)
        finally:
            if opened is not given:
                await opened.close()

    async def _run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(name, stop.set)
        await self.serve(stop)

    def _instance(self, log: EventLog, agent_id: str) -> Instance:
        word = uuid4().hex[:8]
        identity = Identity(
            self.group,
            agent_id or f"{self.group}-{word[:4]}",
            word,
            tenant=self._tenant,
            deployment=self._deployment,
        )
        spec = Spec(
            group=self.group,
            manifest=self._manifest,
            keyring=self._keyring,
            tasks=dict(self._tasks),
            compensations=dict(self._compensations),
            facts=dict(self._facts),
            **self._limits,
        )
        return Instance(spec, log, identity, self._clock)


def _add(handlers: dict[str, Any], name: str, handler: Any) -> None:
    if name in handlers:
        raise CoordinationError(f"There are two handlers for {name!r}.", code="two_handlers")
    handlers[name] = handler
