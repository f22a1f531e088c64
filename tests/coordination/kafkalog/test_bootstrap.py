"""Rules of the first contact: its failure is told with the true cause."""

import time

from coordination.errors import LogUnreachable
from coordination.kafkalog import parse_address
from coordination.kafkalog.bootstrap import diagnosis
from tests.coordination.kafkalog.blackhole import black_hole


async def test_a_closed_port_is_told_as_such() -> None:
    error = await diagnosis(parse_address("kafka://127.0.0.1:1"))
    assert isinstance(error, LogUnreachable)
    assert "127.0.0.1:1 cannot be reached" in str(error)
    assert "may be down" in str(error)


async def test_a_server_that_says_nothing_is_told_as_such_in_time() -> None:
    async with black_hole() as address:
        started = time.monotonic()
        error = await diagnosis(parse_address(f"kafka://{address}?timeout=0.2"))
        assert time.monotonic() - started < 2
    assert "no answer within 0.2 s" in str(error)


async def test_with_a_password_a_closed_connection_may_be_its_fault() -> None:
    async with black_hole() as address:
        url = f"kafka://{address}?timeout=0.2&security=sasl_plaintext&username=alice&password=hush"
        error = await diagnosis(parse_address(url))
    assert "hush" not in str(error)
