"""Leases: shared fairly, taken over when silent, given back at once, and never two owners of one epoch."""

import pytest

from dashboard import shards
from dashboard.models import Shard, Worker
from dashboard.shards import Leases

NAMES = [f"12-{number}" for number in range(12)]


@pytest.fixture
def clock(monkeypatch, db):
    """The database's clock, moved by hand (µs)."""
    now = [1_000_000_000]
    monkeypatch.setattr(shards, "database_now", lambda: now[0])
    return now


def settle(workers, names=NAMES, rounds=4):
    for _ in range(rounds):
        for worker in workers:
            worker.renew(names)


def test_one_worker_takes_everything(clock):
    assert Leases("a", "ingest").renew(NAMES) == dict.fromkeys(NAMES, 1)


@pytest.mark.parametrize(("count", "shares"), [(2, [6, 6]), (3, [4, 4, 4]), (5, [2, 2, 2, 3, 3]), (13, [0] + [1] * 12)])
def test_shards_are_shared_fairly_and_none_is_left_or_doubled(clock, count, shares):
    workers = [Leases(str(number), "ingest") for number in range(count)]
    settle(workers)
    held = [set(worker.held) for worker in workers]
    assert set.union(*held) == set(NAMES)
    assert sum(map(len, held)) == len(NAMES)
    assert max(map(len, held)) <= -(-len(NAMES) // count)
    assert sorted(map(len, held))[-1] == max(shares)


def test_a_late_comer_gets_its_share_when_the_others_renew(clock):
    first, second = Leases("a", "ingest"), Leases("b", "ingest")
    first.renew(NAMES)
    assert second.renew(NAMES) == {}
    first.renew(NAMES)
    assert len(second.renew(NAMES)) == 6


def test_silence_past_the_lease_lets_others_take_over_with_a_higher_epoch(clock):
    first, second = Leases("a", "ingest"), Leases("b", "ingest")
    first.renew(NAMES)
    clock[0] += 9_000_000
    assert second.renew(NAMES) == {}
    clock[0] += 2_000_000
    assert second.renew(NAMES) == dict.fromkeys(NAMES, 2)
    assert not set(first.renew(NAMES).items()) & {(name, 1) for name in NAMES}


def test_a_lease_that_ran_out_but_was_not_taken_goes_on_unchanged(clock):
    worker = Leases("a", "ingest")
    worker.renew(NAMES)
    clock[0] += 60_000_000
    assert worker.renew(NAMES) == dict.fromkeys(NAMES, 1)


def test_renewing_keeps_what_is_held(clock):
    first, second = Leases("a", "ingest"), Leases("b", "ingest")
    settle([first, second])
    held = dict(first.held)
    for _ in range(20):
        clock[0] += 3_000_000
        settle([first, second], rounds=1)
    assert first.held == held


def test_release_frees_everything_at_once(clock):
    first, second = Leases("a", "ingest"), Leases("b", "ingest")
    first.renew(NAMES)
    first.release()
    assert first.held == {}
    assert len(second.renew(NAMES)) == 12
    assert set(Worker.objects.values_list("worker_id", flat=True)) == {"b"}


def test_roles_do_not_share_with_each_other(clock):
    ingest, relay = Leases("a", "ingest"), Leases("a", "relay")
    ingest.renew(NAMES)
    assert len(relay.renew(["relay:0", "relay:1"])) == 2
    assert len(ingest.renew(NAMES)) == 12


def test_shards_that_vanish_are_not_held_any_more(clock):
    worker = Leases("a", "ingest")
    worker.renew(NAMES)
    assert set(worker.renew(NAMES[:3])) == set(NAMES[:3])
    assert Shard.objects.filter(owner="a").count() == 12


def test_figures_are_kept_with_the_worker(clock):
    Leases("a", "ingest").renew(NAMES, {"batches": 3})
    assert Worker.objects.get().figures == {"batches": 3}
