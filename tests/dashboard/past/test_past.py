"""Going from place to place in a run's past; rules about rows are in `tests/dashboard/ingest/test_past.py`."""

import threading
from collections.abc import Iterator

import pytest

from dashboard import past
from dashboard.models import Task
from dashboard.past import TooLong, as_of, past_of
from dashboard.past import past as module
from tests.dashboard.recordings import Recording, tried_twice
from tests.dashboard.scenes import task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    past.forget()
    yield
    past.forget()


def state(count: int) -> str:
    where = past_of("run-1")
    with where.known() as history:
        position = history.positions[count - 1].text()
    with as_of("run-1", position) as moment:
        assert moment.now == history.positions[count - 1].at
        return Task.objects.get().state


def test_forth_and_back_the_state_is_that_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "APART", 2)
    tried_twice().store()
    states = ["requested", "working", "retry_wait", "working", "working", "working", "completed"]
    for count in (7, 1, 3, 4, 2, 7, 6, 5):
        assert state(count) == states[count - 1]


def test_without_a_position_the_live_rows_answer() -> None:
    task("live")
    with as_of("run-1", None) as moment:
        assert moment.place is None
        assert Task.objects.get().task_id == "live"


def test_a_run_that_is_too_long_is_refused_with_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    tried_twice().store()
    with pytest.raises(TooLong, match="replay run-1"), as_of("run-1", "2030-01-01T00:00:00Z"):
        pass


def test_only_so_much_is_kept_and_what_was_looked_at_last_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 10)
    for number in (1, 2, 3):
        log = Recording(f"run-{number}", partition=number)
        for name in "abcdef":
            log.say("task.requested", {"task_type": "t"}, task_id=name, target_group="g")
        log.store()
    first = past_of("run-1")
    for run_id in ("run-1", "run-2", "run-3"):
        with past_of(run_id).known():
            pass
    third = past_of("run-3")
    assert past_of("run-1") is not first
    assert past_of("run-3") is third


def test_two_threads_at_two_places_do_not_see_each_other() -> None:
    tried_twice().store()
    assert [state(count) for count in (1, 7)] == ["requested", "completed"]
    where, found = past_of("run-1"), []
    with where.known() as history:
        last = history.positions[-1].text()

    def other() -> None:
        with where._lock:
            found.append("in")

    with where.at(last):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.05)
        assert not found
    thread.join(5)
    assert found == ["in"]
