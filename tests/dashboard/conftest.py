"""For all tests of the dashboard: static files come straight from where they lie, as on a first start."""

from pathlib import Path
from typing import Any

import pytest

from dashboard.api import cascades


@pytest.fixture(autouse=True)
def _uncollected(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    # Nothing is collected in a fresh clone, and the folder that would hold it is expected to be there.
    settings.STATIC_ROOT = Path(tmp_path_factory.getbasetemp())


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    # A good hash takes half a second by design, which here would only be waited for.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    # Every test begins with tables of its own, in which the same run and revision mean something else.
    cascades.forget()
