"""The link passes bytes, and can be made slow, silent, or cut."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.link import Link


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while piece := self.request.recv(4096):
            self.request.sendall(piece)


@pytest.fixture
def link() -> Iterator[Link]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Link(server.server_address[1]) as made:
            yield made
        server.shutdown()


def connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), 5)


def ended(client: socket.socket) -> bool:
    """Whether the other end is gone, in order or not."""
    try:
        return client.recv(9) == b""
    except ConnectionError:
        return True


def test_bytes_pass_and_a_delay_holds_them_back(link: Link) -> None:
    with connected(link) as client:
        client.sendall(b"one")
        assert client.recv(9) == b"one"
        link.slow(0.2)
        began = time.monotonic()
        client.sendall(b"two")
        assert client.recv(9) == b"two"
        assert time.monotonic() - began >= 0.2


def test_silence_keeps_connections_open_and_loses_nothing(link: Link) -> None:
    with connected(link) as client:
        client.sendall(b"one")
        assert client.recv(9) == b"one"
        link.silent()
        client.sendall(b"two")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(9)
        link.heal()
        client.settimeout(5)
        assert client.recv(9) == b"two"


def test_a_cut_ends_connections_until_it_is_healed(link: Link) -> None:
    with connected(link) as client:
        client.sendall(b"one")
        assert client.recv(9) == b"one"
        link.cut()
        assert ended(client)
    with connected(link) as refused:
        assert ended(refused)
    link.heal()
    with connected(link) as client:
        client.sendall(b"two")
        assert client.recv(9) == b"two"
