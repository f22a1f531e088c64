"""Python's cyclic garbage collector, where it finds nothing and costs a third of the time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Inside, nothing is collected, in no thread: for folds of many events. Rows hold no cycles, so walking a million
    of them again and again finds nothing. Whoever is inside while another leaves goes on with it."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
