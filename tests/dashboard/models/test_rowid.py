"""Keys of our own choice are SQLite's row ids, so that each is stored once."""

import pytest
from django.db import connection

from dashboard.models import EventKey

pytestmark = pytest.mark.django_db


def test_there_is_no_second_index_for_the_key():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE tbl_name = 'dashboard_eventkey' AND type = 'index'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("key", [-(2**63), -1, 0, 2**63 - 1])
def test_all_64_bits_are_kept(key):
    EventKey.objects.create(key=key, offset=1)
    assert EventKey.objects.get().key == key
