"""A run's stored events in the order of positions: packed, read on, counted up to a position."""

import random

import pytest

from coordination.instants import rfc3339
from coordination.replay import BadPosition, in_order
from dashboard.events import decoded
from dashboard.manifest import layout
from dashboard.models import Segment, Stretch
from dashboard.past import history as module
from dashboard.past.history import History, failures
from tests.dashboard.recordings import Recording, tried_twice
from tests.dashboard.scenes import NOW, SECOND

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)


def known() -> History:
    history = History("run-1")
    history.refresh()
    return history


def test_events_stand_in_the_order_of_positions_whatever_was_read_first() -> None:
    log = tried_twice()
    placed = in_order(decoded(log.records))
    random.Random(1).shuffle(log.records)
    log.records.sort(key=lambda one: (one.topic, one.partition, one.offset))
    log.store(a_batch=2)
    history = known()
    assert history.positions == [one.position for one in placed]
    assert history.events(0, len(history)) == [one.event for one in placed]
    assert history.events(2, 5) == [one.event for one in placed[2:5]]


def test_what_is_stored_later_is_read_on_and_what_belongs_before_is_put_there() -> None:
    log = tried_twice()
    late = [one for one in log.records if one.topic.endswith("tool.events")]
    records = list(log.records)
    log.records = [one for one in records if one not in late]
    log.store()
    history = known()
    assert history.refresh() == len(history) == len(records) - len(late)
    log.records = late
    log.store()
    assert history.refresh() == 4
    assert history.positions == [one.position for one in in_order(decoded(records))]


def test_packed_again_nothing_is_read_twice() -> None:
    log = tried_twice()
    log.store(a_batch=1)
    history = known()
    Segment.objects.all().delete()
    Stretch.objects.all().delete()
    log.store()
    assert history.refresh() == len(history) == len(log.records)


def test_what_was_stored_out_of_turn_is_found() -> None:
    log = tried_twice()
    log.store(a_batch=2)
    held = Segment.objects.order_by("id")[1]
    Segment.objects.filter(pk=held.pk).delete()
    history = known()
    assert len(history) < len(log.records)
    held.save(force_insert=True)
    assert history.refresh() == 0
    assert len(history) == len(log.records)


def test_a_position_counts_what_lies_at_or_before_it() -> None:
    tried_twice().store()
    history = known()
    for number, position in enumerate(history.positions):
        assert history.count(position.text()) == number + 1
    assert history.count(rfc3339(NOW + 2 * SECOND)) == 3
    assert history.count(rfc3339(NOW + 900 * SECOND)) == len(history)


def test_the_vector_names_the_next_offset_of_each_partition() -> None:
    tried_twice().store()
    history = known()
    assert history.vector(2) == {("coord.run.task.commands", 4): 1, ("coord.run.task.events", 4): 1}


@pytest.mark.parametrize("to", ["nowhere", "coord.run.task.events-4@99", "a@b", "2001-01-01T00:00:00Z"])
def test_a_position_that_cannot_be_is_refused_in_words(to: str) -> None:
    tried_twice().store()
    with pytest.raises(BadPosition, match=r"position|nothing of this run"):
        known().count(to)


def test_a_run_without_records_has_no_past() -> None:
    with pytest.raises(BadPosition, match="No record"):
        known().count("2026-01-01T00:00:00Z")


def test_failures_are_known_by_what_changed_not_by_their_name() -> None:
    log = Recording()
    error = {"error": {"type": "E", "message": "m"}}
    log.say("task.requested", {"task_type": "t"}, target_group="g")
    log.say("task.failed", error, attempt=1)
    log.say("task.failed", error, attempt=1)
    log.store()
    history = known()
    history.tell(layout())
    assert list(history.changed) == [1, 1, 0]
    assert failures(history) == [1]
