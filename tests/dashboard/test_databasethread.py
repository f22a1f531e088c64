"""The database thread: one thread, one connection, calls in order, and a way back after an error."""

import asyncio
import threading

import pytest
from django.db import DatabaseError, connection

from dashboard.databasethread import DatabaseThread

pytestmark = pytest.mark.django_db(transaction=True)


async def test_all_calls_run_in_one_thread_in_their_order() -> None:
    thread, seen = DatabaseThread("t"), []
    idents = await asyncio.gather(*(thread.run(_note, seen, number) for number in range(20)))
    assert seen == list(range(20))
    assert len(set(idents)) == 1
    assert idents[0] != threading.get_ident()
    await thread.close()


def _note(seen: list[int], number: int) -> int:
    seen.append(number)
    return threading.get_ident()


async def test_after_an_error_of_the_database_the_next_call_has_a_new_connection() -> None:
    thread = DatabaseThread("t")
    before = await thread.run(_connection)
    assert await thread.run(_connection) is before
    with pytest.raises(DatabaseError):
        await thread.run(_break)
    assert await thread.run(_connection) is not before
    await thread.close()


def _connection() -> object:
    connection.ensure_connection()
    return connection.connection


def _break() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


async def test_an_error_of_ours_reaches_whoever_asked() -> None:
    thread = DatabaseThread("t")
    with pytest.raises(ZeroDivisionError):
        await thread.run(divmod, 1, 0)
    await thread.close()
