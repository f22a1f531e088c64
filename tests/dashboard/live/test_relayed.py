"""Between processes: what is published is heard, what is lost is noticed."""

import asyncio

import msgspec
import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from dashboard.live import relayed
from dashboard.live.hub import Hub
from dashboard.live.relayed import BEAT, Listener, Publisher
from tests.services.redis import RedisServer


class Ear(Hub):
    """A hub that keeps what it is offered."""

    def __init__(self) -> None:
        super().__init__()
        self.heard, self.resyncs, self.watches = [], 0, ["board"]

    def watched(self) -> frozenset[str]:
        return frozenset(self.watches)

    def wanted(self, about: str) -> bool:
        return about != "nobody"

    def offer(self, about, rows, gone=(), whole=True) -> None:
        self.heard.append((about, list(rows), list(gone), whole))

    def resync(self, abouts=None) -> None:
        self.resyncs += 1


def message(number: int, about: str = "board", publisher: str = "p") -> dict:
    rows = msgspec.json.encode([{"kind": "task", "id": "a", "revision": number}])
    return {"publisher": publisher, "number": number, "about": about, "rows": rows, "gone": ["x"], "whole": True}


def beat(number: int, publisher: str = "p") -> dict:
    return {"publisher": publisher, "number": number, "about": ""}


@pytest.fixture
def ear() -> Ear:
    return Ear()


def test_messages_in_order_are_offered(ear):
    listener = Listener(ear)
    for number in (5, 6, 7):
        listener.hear(message(number))
    assert [offered[1][0]["revision"] for offered in ear.heard] == [5, 6, 7]
    assert ear.heard[0] == ("board", [{"kind": "task", "id": "a", "revision": 5}], ["x"], True)
    assert ear.resyncs == 0


def test_a_missing_message_makes_the_hub_resync_once(ear):
    listener = Listener(ear)
    for number in (1, 2, 4, 5):
        listener.hear(message(number))
    assert ear.resyncs == 1
    assert len(ear.heard) == 4


def test_a_lost_last_message_is_noticed_by_the_next_beat(ear):
    listener = Listener(ear)
    listener.hear(message(1))
    listener.hear(beat(1))
    assert ear.resyncs == 0
    listener.hear(beat(2))
    listener.hear(beat(2))
    listener.hear(message(3))
    assert ear.resyncs == 1


def test_publishers_are_counted_each_by_itself_and_a_new_one_may_begin_anywhere(ear):
    listener = Listener(ear)
    listener.hear(beat(40, "q"))
    listener.hear(message(1, publisher="p"))
    listener.hear(message(41, publisher="q"))
    assert ear.resyncs == 0


def test_what_nobody_here_watches_is_not_even_decoded(ear):
    Listener(ear).hear(message(1, "nobody") | {"rows": b"not json"})
    assert ear.heard == []


async def test_what_is_published_is_heard_over_a_layer(ear, monkeypatch):
    layer = InMemoryChannelLayer()
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: layer)
    await _spoken_and_heard(ear)


async def test_what_is_published_is_heard_over_redis(ear, monkeypatch, redis_server: RedisServer):
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: RedisPubSubChannelLayer(hosts=[redis_server.url()]))
    await _spoken_and_heard(ear)


async def _spoken_and_heard(ear: Ear) -> None:
    listener = Listener(ear)
    await listener.start()
    await listener.start()
    publisher = Publisher()
    publisher.start()
    try:
        for number in range(20):
            publisher.publish("board", [{"kind": "task", "id": "a", "revision": number}], [], True)
        async with asyncio.timeout(10):
            while len(ear.heard) < 20:
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(publisher.stop)
        await listener.stop()
    assert [offered[1][0]["revision"] for offered in ear.heard] == list(range(20))
    assert ear.resyncs == 0


async def test_what_a_hub_watches_is_known_where_it_is_published(ear, monkeypatch, redis_server: RedisServer):
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: RedisPubSubChannelLayer(hosts=[redis_server.url()]))
    listener, publisher = Listener(ear), Publisher()
    publisher.start()
    await listener.start()
    try:
        await _until(lambda: publisher.wanted("board"))
        assert not publisher.wanted("run:1")
        ear.watches.append("run:1")
        began = asyncio.get_running_loop().time()
        await listener.announce()
        await _until(lambda: publisher.wanted("run:1"))
        assert asyncio.get_running_loop().time() - began < BEAT / 2, "a new watch is announced at once"
        ear.watches.remove("run:1")
        await _until(lambda: not publisher.wanted("run:1"))
    finally:
        await asyncio.to_thread(publisher.stop)
        await listener.stop()


async def _until(true) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_layer_that_is_away_keeps_nobody_from_joining(ear, monkeypatch):
    monkeypatch.setattr(relayed, "PATIENCE", 0.1)
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: RedisPubSubChannelLayer(hosts=["redis://127.0.0.1:9"]))
    listener = Listener(ear)
    async with asyncio.timeout(5):
        await listener.start()
        await listener.start()
    await listener.stop()


async def test_a_publisher_that_cannot_keep_up_loses_messages_and_says_so(ear, monkeypatch):
    layer = InMemoryChannelLayer()
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(relayed, "WAITING", 3)
    listener = Listener(ear)
    await listener.start()
    publisher = Publisher()
    for number in range(10):
        publisher.publish("board", [{"kind": "task", "id": "a", "revision": number}], [], True)
    publisher.start()
    try:
        async with asyncio.timeout(BEAT * 5):
            while not ear.resyncs:
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(publisher.stop)
        await listener.stop()
    assert len(ear.heard) == 3


async def test_a_redis_that_went_away_is_noticed_when_it_is_back(ear, monkeypatch, redis_server: RedisServer):
    monkeypatch.setattr(relayed, "get_channel_layer", lambda: RedisPubSubChannelLayer(hosts=[redis_server.url()]))
    listener, publisher = Listener(ear), Publisher()
    await listener.start()
    publisher.start()
    rows = [{"kind": "task", "id": "a", "revision": 1}]
    try:
        publisher.publish("board", rows, [], True)
        async with asyncio.timeout(10):
            while not ear.heard:
                await asyncio.sleep(0.02)
        redis_server.kill()
        publisher.publish("board", rows, [], True)
        await asyncio.sleep(1.5)
        redis_server.start()
        async with asyncio.timeout(20):
            while not ear.resyncs:
                publisher.publish("board", rows, [], True)
                await asyncio.sleep(0.3)
        heard = len(ear.heard)
        publisher.publish("board", rows, [], True)
        async with asyncio.timeout(10):
            while len(ear.heard) == heard:
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(publisher.stop)
        await listener.stop()
