"""Servers, browser and fresh names for all tests; what a test does not ask for is never started."""

import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from hypothesis import settings

from tests.services.chromium import Chromium
from tests.services.kafka import KafkaBroker
from tests.services.missing import Missing
from tests.services.postgres import PostgresServer
from tests.services.redis import RedisServer

Service = TypeVar("Service")

SERVERS = ("kafka", "secured_kafka", "postgres", "redis_server")
MARKS = {
    "kafka": "kafka",
    "secured_kafka": "kafka",
    "postgres": "postgres",
    "redis_server": "redis",
    "chromium": "browser",
}

# Both try the same examples on every machine, every time: a red check must be there again at the next run.
settings.register_profile("ci", derandomize=True, database=None, deadline=None, max_examples=100)
settings.register_profile("long", settings.get_profile("ci"), max_examples=2_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--long`."""
    parser.addoption("--long", action="store_true", help="also run the long form of tests, marked `long`")


def pytest_configure(config: pytest.Config) -> None:
    """Choose hypothesis' profile, unless the command line names one."""
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("long" if config.getoption("--long") else "ci")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the servers they ask for; leave `long` ones out unless asked for."""
    for item in items:
        for fixture in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[fixture])
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def _or_fail(make: Callable[[], Service]) -> Service:
    try:
        return make()
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One Kafka broker for all tests; take topics and groups of your own by `namespace`."""
    with _or_fail(KafkaBroker) as broker:
        yield broker


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[KafkaBroker]:
    """One more broker, with TLS and SASL listeners: see `KafkaBroker.address` and `.certificates`."""
    with _or_fail(lambda: KafkaBroker(secured=True)) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests; take a database of your own by `database_url`."""
    with _or_fail(PostgresServer) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests; prefix your keys by `namespace`."""
    with _or_fail(RedisServer) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """How to start the browser: `with chromium.browser() as browser`."""
    return _or_fail(Chromium)


@pytest.fixture(autouse=True)
def _revived(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test may kill or pause a shared server; the next one finds it up again, even when that test failed."""
    used = [request.getfixturevalue(name) for name in SERVERS if name in request.fixturenames]
    yield
    for server in used:
        server.revive()


@pytest.fixture
def namespace() -> str:
    """A namespace (first part of topic names) that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def database_url(postgres: PostgresServer, namespace: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, gone after the test."""
    yield postgres.create_database(namespace)
    postgres.revive()
    postgres.drop_database(namespace)
