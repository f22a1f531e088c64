"""From a commit to the hubs: straight, where there is one process, else over the channel layer."""

import atexit
import threading
from collections.abc import Sequence
from functools import cache

from django.conf import settings

from dashboard.live.hub import hub
from dashboard.live.relayed import Publisher
from dashboard.live.watch import Row

_lock = threading.Lock()


def publish(about: str, rows: Sequence[Row], gone: Sequence[str] = (), *, whole: bool = True) -> None:
    """Tell all who watch `about` of rows that changed and ids that are gone. Call it after the commit.

    Each row has `kind`, `id` and `revision`, and is whole: newer wins. `whole` False: more changed than is told
    here, so browsers shall ask the API. Any thread may call it; it never waits and never raises for those who do
    not listen.
    """
    if settings.LINESIDE_CHANNELS == "memory":
        hub.offer_from_anywhere(about, rows, gone, whole)
    else:
        _publisher().publish(about, rows, gone, whole)


def wanted(about: str) -> bool:
    """Whether it is worth making rows for `about`: somebody is known to watch it. If not, `mention` it."""
    return hub.wanted(about) if settings.LINESIDE_CHANNELS == "memory" else _publisher().wanted(about)


def mention(about: str) -> None:
    """It changed, and nobody is known to watch it. Who has just begun to is told to ask the API."""
    if settings.LINESIDE_CHANNELS != "memory":
        _publisher().publish(about, (), (), whole=False)


def _publisher() -> Publisher:
    with _lock:
        return _started()


@cache
def _started() -> Publisher:
    publisher = Publisher()
    publisher.start()
    atexit.register(publisher.stop)
    return publisher
