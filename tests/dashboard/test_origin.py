"""A WebSocket may be opened by pages of this very host and port only."""

import pytest

from dashboard.origin import same_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost:80", "localhost"),
        ("https://localhost", "localhost:443"),
        ("http://LOCALHOST:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_same_host_and_port_are_ours(origin, host):
    assert same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("", "localhost"),
        ("null", "localhost"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://evil.example", "evil.example"),
        ("http://localhost.evil.example", "localhost"),
        ("file://localhost", "localhost"),
        ("http://", ""),
        ("http://[::1", "[::1"),
        ("http://localhost", ""),
    ],
)
def test_everything_else_is_not(origin, host):
    assert not same_origin(origin, host)
