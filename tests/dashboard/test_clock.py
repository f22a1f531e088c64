"""The database's clock."""

import time

import pytest

from dashboard.clock import database_now


@pytest.mark.django_db
def test_it_counts_microseconds_since_1970() -> None:
    assert abs(database_now() - time.time() * 1_000_000) < 60_000_000
