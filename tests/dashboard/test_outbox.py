"""The outbox: final bytes, one order per task, nothing without the act that caused it."""

import pytest
from django.db import transaction

from coordination.manifest import TOPICS
from coordination.partitioner import partition_for
from dashboard import outbox
from dashboard.models import Decision, Position
from tests.dashboard.cast import RUN

pytestmark = pytest.mark.django_db


def made(task: str = "task-1", *about: object) -> list[outbox.NewRecord]:
    return [outbox.record("task.cancel.requested", made_of=about or ["x"], at=5, run_id=RUN, task_id=task, data={})]


def put(row_id: str, task: str = "task-1", *, saved_at: int = 100, hold: int = 0) -> Decision:
    return outbox.put(row_id, made(task, row_id), task_id=task, run_id=RUN, saved_at=saved_at, hold=hold, kind="cancel")


def test_what_comes_out_is_what_went_in_byte_for_byte() -> None:
    records = made()
    put("a")
    kept = Decision.objects.get().records
    assert outbox.unpack(kept)[0].headers == outbox.unpack(outbox.pack(made("task-1", "a")))[0].headers
    assert outbox.unpack(outbox.pack(records)) == records


def test_a_record_is_the_same_however_often_it_is_made() -> None:
    assert made("task-1", "a") == made("task-1", "a")
    assert made("task-1", "a") != made("task-1", "b")


def test_rows_of_one_task_never_share_an_instant() -> None:
    rows = [put(name, saved_at=100) for name in "abc"]
    assert [row.saved_at for row in rows] == [100, 101, 102]
    assert put("d", "task-2", saved_at=100).saved_at == 100


def test_a_held_row_is_ready_when_its_window_is_over() -> None:
    assert put("a", saved_at=100, hold=outbox.UNDO_WINDOW).held_until == 100 + outbox.UNDO_WINDOW
    assert put("b").held_until == 0


def test_the_partition_is_the_declared_one_until_ingest_has_found_another() -> None:
    topic = "coord.run.task.commands"
    count = TOPICS["run.task.commands"].partitions
    assert made()[0].partition == partition_for(b"task-1", count)
    Position.objects.create(topic=topic, partition=2, shard="30-2")
    assert made()[0].partition == partition_for(b"task-1", 30)
    assert put("a").relay_shard == partition_for(b"task-1", outbox.RELAY_SHARDS)


@pytest.mark.django_db(transaction=True)
def test_the_relay_is_woken_after_the_commit_and_not_before() -> None:
    before = outbox.wakeup.version
    with transaction.atomic():
        put("a")
        assert outbox.wakeup.version == before
    assert outbox.wakeup.version == before + 1


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_puts_nothing_into_the_outbox_and_wakes_nobody() -> None:
    before = outbox.wakeup.version

    def act() -> None:
        with transaction.atomic():
            put("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert not Decision.objects.exists()
    assert outbox.wakeup.version == before


@pytest.mark.django_db(transaction=True)
def test_a_hint_that_fails_undoes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("nobody listens")

    with transaction.atomic():
        put("a")
        outbox.after_commit(broken)
    assert Decision.objects.count() == 1
