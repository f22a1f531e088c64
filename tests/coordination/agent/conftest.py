"""The stage: a memory log with all topics; after each test nothing on it may be out of order."""

from collections.abc import AsyncIterator

import pytest

from tests.coordination.agent.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A stage that is closed after the test, without anomalies."""
    stage = Stage()
    await stage.open()
    yield stage
    await stage.close()
    assert await stage.anomalies() == []
