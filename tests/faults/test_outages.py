"""Kafka, PostgreSQL and Redis go away under load and come back: nothing is lost or doubled, pages go on answering,
the freshness stamp tells the truth meanwhile, and ingest goes on by itself.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page

from dashboard.clock import database_now
from dashboard.models import Position, Worker
from tests.faults.agreement import agree, tables
from tests.faults.flow import Flow
from tests.faults.test_worker_paused import until
from tests.faults.visitor import Visitor, p95
from tests.installation import Installation
from tests.services.chromium import Chromium
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer
from tests.signedin import signed_in_page
from tests.traffic import Traffic

PACE = 150.0
# Traffic outlasts the longest waits of a test together: starting, coming back, pages that are fresh again.
SPARE = 240.0
FRESH = '[data-fresh][data-level="fresh"]'
OBSERVE = """() => {
  const stamp = document.querySelector("[data-fresh]");
  window.levels = [stamp.dataset.level];
  new MutationObserver(() => {
    if (window.levels.at(-1) !== stamp.dataset.level) window.levels.push(stamp.dataset.level);
  }).observe(stamp, { attributes: true, attributeFilter: ["data-level"] });
}"""

# How often the list of runs has changed since.
COUNT = """() => {
  window.changes = 0;
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  const runs = document.getElementById("runs");
  new MutationObserver((some) => { window.changes += some.length; }).observe(runs, everything);
}"""
LEASED = {"ingest", "relay", "sweep", "lag", "notify"}


class Stage:
    """An installation in production's shape, at work: a worker, a web process, traffic, a visitor."""

    def __init__(self, installation: Installation, blocker: Any, seconds: float) -> None:
        self.installation = installation
        self._blocker = blocker
        installation.prepare()
        namespace = installation.manifest.namespace
        self._records = Traffic(11, namespace=namespace).records(int(PACE * (seconds + SPARE)))
        self.worker = installation.worker("worker")
        self.site = installation.serve()
        self.flow = Flow(installation, self._records, PACE)

    def read(self) -> int:
        """How many records are in the tables."""
        with tables(self.installation, self._blocker):
            return sum(Position.objects.values_list("records", flat=True))

    def roles(self) -> set[str]:
        """The roles that somebody has a lease of."""
        with tables(self.installation, self._blocker):
            return set(Worker.objects.filter(lease_until__gt=database_now()).values_list("role", flat=True))

    def polls_lag(self) -> bool:
        """Whether the lag poll is not in trouble; it keeps its lease while Kafka is away, so that tells nothing."""
        words = self.worker.log.read_text()
        return words.rfind("The lag poll cannot look") <= words.rfind("The lag poll works again")

    @contextmanager
    def at_work(self) -> Iterator[Visitor]:
        """Traffic flows, pages are visited; at the end the tables must hold all of it."""
        self.flow.start()
        until(lambda: self.read() > 0, self.worker.log_tail)
        with Visitor(self.site) as visitor:
            yield visitor
        assert not self.flow.over, "there was no traffic any more"
        appended = self.flow.stop()
        until(lambda: self.read() >= appended, lambda: f"{self.read()} of {appended}\n{self.worker.log_tail()}")
        self.worker.stop()
        self.installation.manage("worker", "--roles", "ingest", "--drain")
        told = agree(self.installation, self._blocker)
        assert len(told) >= appended

    def goes_on(self, seconds: float = 60) -> float:
        """Seconds until records are read again."""
        before, began = self.read(), time.monotonic()
        until(lambda: self.read() > before, lambda: f"{self.flow}\n{self.worker.log_tail()}", seconds)
        return time.monotonic() - began


def on_time(happened: Callable[[], bool], page: Page, seconds: float, words: str) -> None:
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, words
        page.wait_for_timeout(100)


def kafka_away(stage: Stage, kafka: KafkaBroker, chromium: Chromium, seconds: float) -> None:
    with stage.at_work() as visitor, chromium.browser() as browser:
        page = signed_in_page(browser, stage.site.address)
        page.locator(FRESH).wait_for(timeout=30_000)
        page.evaluate(OBSERVE)
        kafka.stop()
        stopped = time.monotonic()
        page.wait_for_timeout(seconds * 1000)
        during = visitor.since(stopped)
        kafka.start()
        again = stage.goes_on()
        page.locator(FRESH).wait_for(timeout=60_000)
        levels = page.evaluate("window.levels")
    print(f"{len(during)} answers, p95 {p95(during) * 1000:.0f} ms; reads again after {again:.1f} s; stamp {levels}")
    assert {answer.status for answer in during} == {200}
    assert p95(during) < 2
    assert levels[:3] == ["fresh", "amber", "red"]
    assert levels[-1] == "fresh"


@pytest.mark.timeout(240)
def test_kafka_is_away_for_15_seconds(
    production: Installation, kafka: KafkaBroker, chromium: Chromium, django_db_blocker: Any
) -> None:
    kafka_away(Stage(production, django_db_blocker, 15), kafka, chromium, 15)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_kafka_is_away_for_a_minute(
    production: Installation, kafka: KafkaBroker, chromium: Chromium, django_db_blocker: Any
) -> None:
    kafka_away(Stage(production, django_db_blocker, 60), kafka, chromium, 60)


def postgres_away(stage: Stage, postgres: PostgresServer, seconds: float) -> None:
    with stage.at_work() as visitor:
        until(lambda: stage.roles() >= LEASED, stage.worker.log_tail)
        postgres.stop(immediate=True)
        stopped = time.monotonic()
        time.sleep(seconds)
        postgres.start()
        started = time.monotonic()
        again = stage.goes_on()
        until(lambda: any(one.status == 200 for one in visitor.since(started)), stage.site.process.log_tail, 30)
        back = next(one.at + one.seconds for one in visitor.since(started) if one.status == 200) - started
        settled = time.monotonic()
        until(lambda: stage.roles() >= LEASED, stage.worker.log_tail)
        until(lambda: stage.polls_lag(), stage.worker.log_tail)
        time.sleep(2)
    away = [one for one in visitor.since(stopped) if one.at + one.seconds < started]
    slowest = max(one.seconds for one in visitor.since(stopped))
    print(f"{len(away)} answers meanwhile, slowest {slowest:.1f} s; pages {back:.1f} s, ingest {again:.1f} s later")
    assert {one.status for one in away} == {503}
    assert slowest < 8
    assert {one.status for one in visitor.since(settled)} == {200}


@pytest.mark.timeout(240)
def test_postgresql_is_restarted(production: Installation, postgres: PostgresServer, django_db_blocker: Any) -> None:
    postgres_away(Stage(production, django_db_blocker, 6), postgres, 6)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_postgresql_is_away_for_a_minute(
    production: Installation, postgres: PostgresServer, django_db_blocker: Any
) -> None:
    postgres_away(Stage(production, django_db_blocker, 60), postgres, 60)


def redis_away(stage: Stage, redis: RedisServer, chromium: Chromium, seconds: float) -> None:
    with stage.at_work() as visitor, chromium.browser() as browser:
        page = signed_in_page(browser, stage.site.address)
        page.evaluate(COUNT)
        changes = lambda: page.evaluate("window.changes")  # noqa: E731
        on_time(lambda: changes() > 5, page, 30, "the board does not move")
        redis.stop()
        page.wait_for_timeout(seconds * 1000)
        redis.start()
        before, began = changes(), time.monotonic()
        on_time(lambda: changes() > before, page, 60, "the board does not move any more")
        print(f"{len(visitor.answers)} answers, the board moves {time.monotonic() - began:.1f} s after Redis is back")
    assert {answer.status for answer in visitor.answers} == {200}
    assert p95(visitor.answers) < 2


@pytest.mark.timeout(240)
def test_redis_is_restarted(
    production: Installation, redis_server: RedisServer, chromium: Chromium, django_db_blocker: Any
) -> None:
    redis_away(Stage(production, django_db_blocker, 5), redis_server, chromium, 5)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_redis_is_away_for_a_minute(
    production: Installation, redis_server: RedisServer, chromium: Chromium, django_db_blocker: Any
) -> None:
    redis_away(Stage(production, django_db_blocker, 60), redis_server, chromium, 60)
