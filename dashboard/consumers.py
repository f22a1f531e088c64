"""The socket's consumer: authorises, joins, forwards. It knows nothing of what it forwards."""

from typing import Any

import msgspec
from channels.db import database_sync_to_async  # type: ignore[import-untyped]
from channels.generic.websocket import AsyncWebsocketConsumer  # type: ignore[import-untyped]

from dashboard.live.hub import hub
from dashboard.live.joining import joined
from dashboard.permissions import may_watch, tenants_of

SIGNED_OUT, FORBIDDEN, NONSENSE = 4401, 4403, 4400
MOST = 20


class Said(msgspec.Struct, frozen=True):
    """What a browser says: what it watches, or how far it has taken everything in."""

    watch: list[str] | None = None
    ack: int | None = None


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser at /ws/live."""

    async def connect(self) -> None:
        """Take the handshake; Origin was checked before (see `origin`). A close code tells the browser why."""
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(SIGNED_OUT)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Watch or acknowledge."""
        try:
            said = msgspec.json.decode(text_data or bytes_data or b"", type=Said)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            await self.close(NONSENSE)
            return
        if said.watch is not None:
            user: Any = self.scope["user"]
            if not await database_sync_to_async(all)(may_watch(user, about) for about in said.watch[:MOST]):
                await self.close(FORBIDDEN)
                return
            tenants = await database_sync_to_async(tenants_of)(user)
            await self.deliver(await joined(self, said.watch[:MOST], tenants))
        if said.ack is not None:
            await hub.acknowledge(self, said.ack)

    async def disconnect(self, code: int) -> None:
        """Gone."""
        hub.leave(self)

    async def deliver(self, text: str) -> None:
        """Forward a message."""
        await self.send(text_data=text)
