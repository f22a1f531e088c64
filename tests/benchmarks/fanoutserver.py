"""A server process of the fan-out benchmark: our sockets beside plain channel-layer ones, and who feeds both.

    python -m tests.benchmarks.fanoutserver PORT

Prints the cookies of a signed-in user. Then each line on standard input is a JSON list: ["hub" or "plain", deltas a
second, seconds]; the answer is a JSON object with the processor seconds that took and the memory of the process (MB).
`/ws/live` is what browsers use; `/plain` is what one would write without it: each socket joins a group, each delta
is a `group_send`, encoded as JSON for each socket.
"""

import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

from tests.benchmarks.delta import ABOUT, delta


def serve(port: int) -> None:
    """Serve until told to stop."""
    import django  # noqa: PLC0415  (its reactor first: see dashboard.server)

    from dashboard.server import serve as daphne  # noqa: PLC0415

    django.setup()
    from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: PLC0415
    from channels.layers import get_channel_layer  # noqa: PLC0415
    from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: PLC0415
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import path  # noqa: PLC0415

    from dashboard.asgi import application  # noqa: PLC0415
    from dashboard.live.hub import hub  # noqa: PLC0415

    class Plain(AsyncWebsocketConsumer):  # type: ignore[misc]
        """A consumer as the documentation of Channels has it."""

        groups = ("bench",)

        async def delta(self, event: dict[str, Any]) -> None:
            await self.send(text_data=json.dumps(event["row"]))

    async def feed(kind: str, rate: float, seconds: float) -> dict[str, float]:
        began, cpu, layer = time.monotonic(), time.process_time(), get_channel_layer()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            if kind == "hub":
                hub.offer(ABOUT, [delta(number)])
            else:
                await layer.group_send("bench", {"type": "delta", "row": delta(number)})
        await asyncio.sleep(max(0.0, began + seconds + 1.0 - time.monotonic()))
        return {"cpu": time.process_time() - cpu, "wall": seconds, "memory": memory()}

    def listen(loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            told = asyncio.run_coroutine_threadsafe(feed(*json.loads(line)), loop).result()
            print(json.dumps(told), flush=True)

    def ready() -> None:
        threading.Thread(target=listen, args=(asyncio.get_event_loop(),), daemon=True).start()
        print(json.dumps({name: morsel.value for name, morsel in client.cookies.items()}), flush=True)

    call_command("migrate", verbosity=0, skip_checks=True)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bench"))
    plain = URLRouter([path("plain", Plain.as_asgi())])

    async def either(scope: Any, receive: Any, send: Any) -> None:
        await (plain if scope["path"] == "/plain" else application)(scope, receive, send)

    daphne(ProtocolTypeRouter({"http": application, "websocket": either}), host="127.0.0.1", port=port, ready=ready)


def memory() -> float:
    """Resident memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    serve(int(sys.argv[1]))
