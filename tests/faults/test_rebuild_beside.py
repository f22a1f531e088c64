"""A rebuild beside a live system: pages answer, sockets hear, records are read on, the tables change places in one
transaction, and the rows are those of a worker that never saw a rebuild.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection

from dashboard.models import Batch, Position, Run
from dashboard.rebuild.fresh import MODELS
from dashboard.rebuild.refolding import ERA
from tests.dashboard.ingest.picture import rows_in_tables, summaries
from tests.faults.agreement import tables
from tests.faults.flow import Flow
from tests.faults.listener import Listener
from tests.faults.test_worker_paused import until
from tests.faults.visitor import PATHS, Visitor, p95
from tests.installation import Installation
from tests.services.postgres import PostgresServer
from tests.traffic import Traffic

PART = 5_000
PACE = 100.0
SLOWEST = 500
"""Records a second that any machine reads and folds; what is slower is a fault."""
TOLD = re.compile(
    r"(\d+) records of \d+ runs folded in ([\d.]+) s.*\nSwapped in ([\d.]+) s; ingest paused for ([\d.]+)"
)
# A row of each table, all as of one instant.
ERAS = " UNION ALL ".join(
    f"SELECT * FROM (SELECT revision / {ERA} FROM {model._meta.db_table} LIMIT 1) AS one" for model in MODELS
)


class Told(NamedTuple):
    """What `manage.py rebuild` says of itself: records, and seconds altogether, of the swap, of the pause."""

    records: int
    seconds: float
    swap: float
    pause: float


class Looker:
    """Looks ten times a second which tables are those of before a rebuild (0), and which those of after (1).

    `seen` are the different answers, in order; an empty table is one of neither kind.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="looker", daemon=True)

    def __enter__(self) -> "Looker":
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            with connection.cursor() as cursor:
                cursor.execute(ERAS)
                eras = tuple(min(era, 1) for (era,) in cursor.fetchall())
            self.looks += 1
            if eras not in self.seen[-1:]:
                self.seen.append(eras)
        connection.close()


class Stage:
    """An installation at work, whose tables hold so many records; `rate` is what its ingest took in a second."""

    def __init__(self, installation: Installation, events: int) -> None:
        self.installation, self.events = installation, events
        self.traffic = Traffic(21, namespace=installation.manifest.namespace)
        self.patience = 60 + events / SLOWEST
        installation.prepare()
        for _ in range(events // PART):
            installation.append(self.traffic.records(PART))
        self.worker = installation.worker("worker")
        self.site = installation.serve()
        until(lambda: read() >= events, self.worker.log_tail, self.patience)
        self.rate = live_rate()
        self.flow = Flow(installation, self.traffic.records(int(PACE * (60 + events / 2_000))), PACE)

    def rebuild(self) -> Told:
        """Rebuild by the command, while traffic flows and is read."""
        before = read()
        words = self.installation.manage("rebuild", seconds=self.patience)
        found = TOLD.search(words)
        assert found is not None, words
        assert read() > before, "nothing was read meanwhile"
        return Told(int(found[1]), *map(float, found.groups()[1:]))

    def finish(self) -> int:
        """Let the traffic end, and all of it be read; how many records that are."""
        assert not self.flow.over, "there was no traffic any more"
        appended = self.events + self.flow.stop()
        until(lambda: read() >= appended, lambda: f"{read()} of {appended}\n{self.worker.log_tail()}")
        self.worker.stop()
        # Workers tell things on the log themselves, and some of it may not have been read.
        self.installation.manage("worker", "--roles", "ingest", "--drain")
        return read()


def read() -> int:
    """How many records are in the tables."""
    return sum(Position.objects.values_list("records", flat=True))


def live_rate() -> float:
    """Records a second that ingest took in, from its first batch to its last."""
    batches = list(Batch.objects.order_by("id").values_list("read_at", "records"))
    return sum(records for _, records in batches[1:]) * 1e6 / (batches[-1][0] - batches[0][0])


def beside(stage: Stage, *, heard: bool) -> Told:
    """A rebuild beside people who look on, who must not notice more of it than a pause."""
    pages = (*PATHS, "/runs/", f"/runs/{Run.objects.values_list('run_id', flat=True).first()}/")
    ears = Listener(stage.site) if heard else None
    with Looker() as looker, Visitor(stage.site, pages, every=0.1) as visitor, ears or nullcontext():
        until(lambda: not heard or bool(ears and ears.heard), stage.worker.log_tail)
        began = time.monotonic()
        told = stage.rebuild()
        ended = read()
        until(lambda: read() > ended, stage.worker.log_tail)
        answers, silence = visitor.since(began), ears.silence(began) if ears else 0.0
    assert {one.status for one in answers} == {200}
    assert p95(answers) < 2
    assert looker.seen == [(0,) * len(MODELS), (1,) * len(MODELS)]
    assert silence < told.pause + 15
    slowest = max(one.seconds for one in answers)
    print(
        f"{len(answers)} answers meanwhile, p95 {1000 * p95(answers):.0f} ms, slowest {slowest:.1f} s; "
        f"{looker.looks} looks at the tables; board silent for {silence:.1f} s at most"
    )
    return told


def check(installation: Installation, twin: Installation, blocker: Any, events: int, *, heard: bool) -> None:
    with tables(installation, blocker):
        stage = Stage(installation, events)
        stage.flow.start()
        told = beside(stage, heard=heard)
        appended = stage.finish()
        found, runs = rows_in_tables(), summaries()
    rate = told.records / told.seconds
    print(
        f"{told.records} records folded anew, {rate:,.0f} a second, {rate / stage.rate:.2f} times live ingest "
        f"({stage.rate:,.0f}); swap {told.swap:.2f} s, ingest paused for {told.pause:.1f} s"
    )
    twin.prepare()
    twin.manage("worker", "--roles", "ingest", "--drain", seconds=stage.patience)
    with tables(twin, blocker):
        assert read() == appended
        assert rows_in_tables() == found
        assert summaries() == runs


@pytest.fixture
def twin(embedded: Installation, tmp_path: Path) -> Iterator[Installation]:
    """The same log, in a database of its own."""
    with Installation(tmp_path / "twin", log=embedded.log, namespace=embedded.manifest.namespace) as made:
        yield made


@pytest.fixture
def production_twin(production: Installation, tmp_path: Path, postgres: PostgresServer) -> Iterator[Installation]:
    """The same log, in a database of its own."""
    namespace = production.manifest.namespace
    database = postgres.create_database(f"{namespace}_twin")
    with Installation(tmp_path / "twin", log=production.log, database=database, namespace=namespace) as made:
        yield made
    postgres.drop_database(f"{namespace}_twin")


@pytest.mark.timeout(300)
def test_of_fifty_thousand_records_on_postgresql(
    production: Installation, production_twin: Installation, django_db_blocker: Any
) -> None:
    check(production, production_twin, django_db_blocker, 50_000, heard=True)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_of_a_million_records_on_postgresql(
    production: Installation, production_twin: Installation, django_db_blocker: Any
) -> None:
    check(production, production_twin, django_db_blocker, 1_000_000, heard=True)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_of_a_million_records_on_sqlite(embedded: Installation, twin: Installation, django_db_blocker: Any) -> None:
    # In this shape what is live stays within one process, so that nothing is heard in another.
    check(embedded, twin, django_db_blocker, 1_000_000, heard=False)
