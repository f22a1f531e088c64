"""Redis for tests: answers, and forgets everything when it restarts."""

import pytest
from redis import Redis

from tests.services.redis import RedisServer


def test_it_answers_a_ping(redis_server: RedisServer) -> None:
    assert redis_server.ping() == b"+PONG"


def test_it_is_back_on_its_port_and_empty_after_kill_and_restart(redis_server: RedisServer, namespace: str) -> None:
    with Redis.from_url(redis_server.url()) as client:
        client.set(namespace, "kept in memory only")
    redis_server.kill()
    with pytest.raises(ConnectionRefusedError):
        redis_server.ping()
    redis_server.restart()
    with Redis.from_url(redis_server.url()) as client:
        assert client.get(namespace) is None


def test_a_paused_server_does_not_answer(redis_server: RedisServer) -> None:
    redis_server.pause()
    with pytest.raises(TimeoutError):
        redis_server.ping(seconds=0.3)
    redis_server.resume()
    assert redis_server.ping() == b"+PONG"
