"""Back-off: it grows, it is bounded, it is spread."""

import random

import pytest

from coordination.agent.retry import Retry

CHANCE = random.Random(5)


@pytest.mark.parametrize(("failures", "longest"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 10.0), (5_000, 10.0)])
def test_the_delay_lies_between_half_and_all_of_what_the_failures_ask_for(failures: int, longest: float) -> None:
    policy = Retry(base=1.0, factor=2.0, cap=10.0)
    delays = [policy.delay(failures, CHANCE) / 1e6 for _ in range(200)]
    assert longest / 2 <= min(delays)
    assert max(delays) <= longest


def test_delays_are_spread() -> None:
    assert len({Retry().delay(1, CHANCE) for _ in range(100)}) > 50


def test_failures_and_losses_are_counted_apart() -> None:
    policy = Retry(attempts=3, losses=2)
    assert [policy.exhausted(failures, 0) for failures in (2, 3)] == [False, True]
    assert [policy.exhausted(0, losses) for losses in (1, 2)] == [False, True]
    assert not policy.exhausted(2, 1)
