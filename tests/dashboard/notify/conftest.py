"""What tests of notifications share: a folder of their own, ana who wants mail."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from dashboard.models import NotificationChoice
from tests.dashboard.cast import person


@pytest.fixture(autouse=True)
def _state(settings: Any, tmp_path: Path) -> None:
    settings.LINESIDE_STATE = tmp_path
    settings.LINESIDE_URL = "https://lineside.example"


@pytest.fixture
def ana() -> User:
    user = person("ana")
    NotificationChoice.objects.create(person=user, email=True)
    return user
