"""Installations of both shapes for the tests of faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer


@pytest.fixture
def embedded(tmp_path: Path, namespace: str) -> Iterator[Installation]:
    """SQLite and the embedded log."""
    with Installation(tmp_path, namespace=namespace) as made:
        yield made


@pytest.fixture
def production(
    tmp_path: Path, namespace: str, kafka: KafkaBroker, database_url: str, redis_server: RedisServer
) -> Iterator[Installation]:
    """PostgreSQL, Kafka and Redis."""
    log, channels = f"kafka://{kafka.bootstrap}", redis_server.url()
    with Installation(tmp_path, log=log, database=database_url, channels=channels, namespace=namespace) as made:
        yield made


@pytest.fixture(params=["embedded", pytest.param("production", marks=(pytest.mark.kafka, pytest.mark.postgres))])
def installation(request: pytest.FixtureRequest) -> Installation:
    """Each of them."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]
