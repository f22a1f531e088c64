"""A worker that sleeps past the end of its lease: another one takes over, and the sleeper writes nothing on waking."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.models import Batch, Position, Shard
from tests.faults.agreement import agree, tables
from tests.faults.flow import Flow
from tests.faults.openbatch import look_into
from tests.installation import Installation
from tests.services.process import ServerProcess
from tests.traffic import Traffic

AHEAD = 4_000
PATIENCE = 60.0


def until(happened: Callable[[], bool], words: Callable[[], str], seconds: float = PATIENCE) -> None:
    """Wait for something; fails with words."""
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, words()
        time.sleep(0.1)


def fall_asleep(installation: Installation, name: str, process: ServerProcess, *, in_batch: bool) -> None:
    """Stop the worker in the midst of a batch, or between two."""
    look = look_into(installation)
    process.pause()
    limit = time.monotonic() + PATIENCE
    while look(name, process) is not in_batch:
        assert time.monotonic() < limit, process.log_tail()
        process.resume()
        time.sleep(0.005)
        process.pause()


def batches_of(process: ServerProcess) -> int:
    """How many batches this process has written. A worker's name holds its pid."""
    return Batch.objects.filter(worker__contains=f"-{process.pid}-").count()


def sleeps(installation: Installation, blocker: Any, *, in_batch: bool) -> None:
    installation.prepare()
    records = Traffic(7, namespace=installation.manifest.namespace).records(20_000)
    installation.append(records[:AHEAD])
    sleeper = installation.worker("sleeper", "--roles", "ingest")
    flow = Flow(installation, records[AHEAD:], 800).start()
    until(lambda: sleeper.logged("its shards, took"), sleeper.log_tail)
    fall_asleep(installation, "sleeper", sleeper, in_batch=in_batch)
    other = installation.worker("other", "--roles", "ingest")
    time.sleep(1)
    appended = AHEAD + flow.stop()
    with tables(installation, blocker):
        read = lambda: sum(Position.objects.values_list("records", flat=True))  # noqa: E731
        written = batches_of(sleeper)
        until(lambda: read() == appended, lambda: f"{read()} of {appended} read\n{other.log_tail()}")
        assert not Shard.objects.filter(role="ingest", owner__contains=f"-{sleeper.pid}-").exists()
        sleeper.resume()
        until(lambda: said(sleeper), sleeper.log_tail)
        time.sleep(1)
        assert batches_of(sleeper) == written
        assert sleeper.running
    agree(installation, blocker)


def said(sleeper: ServerProcess) -> bool:
    """Whether it noticed that it is not alone any more."""
    return any(sleeper.logged(words) for words in ("gave up", "taken over", "begins anew", "out of reach"))


@pytest.mark.timeout(180)
def test_one_that_sleeps_between_two_batches(installation: Installation, django_db_blocker: Any) -> None:
    sleeps(installation, django_db_blocker, in_batch=False)


@pytest.mark.timeout(180)
def test_one_that_sleeps_in_the_midst_of_a_batch_on_postgresql(
    production: Installation, django_db_blocker: Any
) -> None:
    sleeps(production, django_db_blocker, in_batch=True)
