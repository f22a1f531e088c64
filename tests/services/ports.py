"""Free TCP ports on 127.0.0.1, for servers that are killed and come back on the same port."""

import random
import socket

# Below 32768, where Linux starts to hand out ports for outgoing connections: while a killed server is down, a
# client that keeps dialling a port of that range may be given it as its own, and the server cannot come back.
RANGE = range(15_000, 32_000)
_CHOICE = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, never the same one twice in this process."""
    for port in _CHOICE.sample(RANGE, 200):
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free TCP port on 127.0.0.1 among 200 tried in {RANGE}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
