"""What tests of the sweeper share: a folder of their own, ana and bo."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.dashboard.cast import person


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path


@pytest.fixture
def ana() -> User:
    return person("ana")


@pytest.fixture
def bo() -> User:
    return person("bo")
