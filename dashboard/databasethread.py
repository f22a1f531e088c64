"""One thread with one database connection, for work that lives on an event loop.

Django's connections belong to threads. A pool of threads would be a pool of connections, and the loop itself must
never wait for a table; so each worker has one thread of its own and asks it, one call after the other.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import Error, connection, connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """`await thread.run(function, …)` calls a function in the thread; calls run in the order they were made."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of the function. Giving up waiting does not end the call."""
        call = partial(_call, partial(function, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def close(self) -> None:
        """Finish what is under way and close the connection."""
        await asyncio.get_running_loop().run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown()


def drop_connection() -> None:
    """After an error of the database: it may have been the connection, so this thread's next query opens another."""
    if not connection.in_atomic_block:
        connection.close()


def _call(function: Callable[[], T]) -> T:
    try:
        return function()
    except Error:
        drop_connection()
        raise
