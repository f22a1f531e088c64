"""A summary that was left behind is derived anew by whoever reads next."""

import pytest
from django.db import OperationalError

from dashboard.ingest.rowwriting import RowWriter
from dashboard.models import Run
from tests.benchmarks.workload import Workload
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records


def dies_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on no summary is written, as if the worker had died between a batch and its summaries."""
    summarise, left = RowWriter.summarise, batches

    def mortal(self, run_ids):
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return summarise(self, run_ids)

    monkeypatch.setattr(RowWriter, "summarise", mortal)


@pytest.mark.parametrize("batches", [0, 1])
def test_the_next_worker_writes_what_the_dead_one_did_not(tables, append, drain, monkeypatch, batches):
    append(Workload(tasks=10, live_runs=3).records(400))
    with monkeypatch.context() as patch:
        dies_after(batches, patch)
        if batches == 0:
            with pytest.raises(KeyboardInterrupt):
                drain()
    assert drain()
    events = sum(Run.objects.values_list("events", flat=True))
    assert events == len(stored_records()) == 400
    assert rows_in_tables() == rows_of_fold(stored_records())


def test_a_database_that_went_away_between_is_no_different(tables, append, drain, monkeypatch):
    summarise, failures = RowWriter.summarise, [OperationalError("away")]

    def once(self, run_ids):
        if failures:
            raise failures.pop()
        return summarise(self, run_ids)

    monkeypatch.setattr(RowWriter, "summarise", once)
    append(Workload(tasks=10, live_runs=3).records(400))
    assert drain()
    assert sum(Run.objects.values_list("events", flat=True)) == 400
