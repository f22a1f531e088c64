"""What a browser is told when it begins to watch."""

import time
from collections.abc import Sequence
from typing import Final

import msgspec
from django.conf import settings

from coordination.instants import rfc3339
from dashboard.live.hub import hub
from dashboard.live.relayed import Listener
from dashboard.live.viewer import Socket
from dashboard.models.tenancy import Tenants

_listener: Final = Listener(hub)


async def joined(socket: Socket, abouts: Sequence[str], tenants: Tenants = None) -> str:
    """Join, limited to these tenants (None: all), and the answer: the instant, and the revision of each watch.

    What changed before it, nobody tells: the browser asks the API once it has the answer.
    """
    between_processes = settings.LINESIDE_CHANNELS != "memory"
    if between_processes:
        await _listener.start()
    revisions = hub.join(socket, abouts, tenants)
    if between_processes:
        await _listener.announce()
    return msgspec.json.encode({"at": rfc3339(time.time_ns() // 1000), "revision": revisions}).decode()
