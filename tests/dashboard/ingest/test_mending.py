"""A summary that was left behind is derived anew by whoever reads next."""

from unittest.mock import Mock

import pytest
from django.db import OperationalError

from dashboard.ingest.rowwriting import RowWriter
from dashboard.models import Run, Shard, Worker
from tests.benchmarks.workload import Workload
from tests.dashboard.ingest.picture import rows_in_tables, rows_of_fold, stored_records


def test_the_next_worker_writes_what_the_dead_one_did_not(tables, append, drain, monkeypatch):
    append(Workload(tasks=10, live_runs=3).records(400))
    with monkeypatch.context() as patch:
        patch.setattr(RowWriter, "summarise", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drain()
    # Nobody waits ten seconds here for the leases of the dead.
    Shard.objects.update(lease_until=0)
    Worker.objects.update(lease_until=0)
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
