"""Recorded runs take the same way as everything else, and every figure told of them is there at its end.

All recordings go through Kafka into PostgreSQL and through the embedded log into SQLite, by the commands people use.
Of a recording that was published in both orders the former gets one and the latter the other.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Run
from tests.coordination.importers.histories import PAIRS
from tests.coordination.recordings import FOLDER
from tests.dashboard.ingest.picture import rows_in_tables
from tests.dashboard.ingest.tables import other_database
from tests.installation import Api, Installation
from tests.services.kafka import KafkaBroker
from tests.services.postgres import PostgresServer

# (tasks, edges, roots, leaves, widest fan-out, widest fan-in, depth, widest level, makespan in s)
WFCOMMONS = {
    "soykb": (676, 1_674, 25, 3, 20, 500, 11, 500, 54_029),
    "fetchngs": (43, 28, 26, 20, 6, 9, 3, 26, 246),
    "srasearch": (22, 30, 11, 1, 10, 10, 3, 11, 3_488),
    "helloworld-forkjoin-10": (10, 16, 1, 1, 8, 8, 3, 8, 437),
}
TEMPORAL = (
    "customer-service",
    "timed-out",
    "gogoproto-payload-workflow",
    "multiple-updates",
    "multiple-updates-canceled",
    "workflow_with_unknown_event",
)
NAMES = (*WFCOMMONS, *TEMPORAL, *PAIRS)


@dataclass
class Imported:
    """An installation into which everything was imported; `runs` are the run ids by the names of the files."""

    rows: dict[Any, Any]
    summaries: list[dict[str, Any]]
    api: Api
    runs: dict[str, str]
    pages: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def all(self, name: str, part: str) -> list[dict[str, Any]]:
        """All tasks, events, … of a run."""
        if (name, part) not in self.pages:
            self.pages[name, part] = self.api.all(f"runs/{self.runs[name]}/{part}")
        return self.pages[name, part]

    def run(self, name: str) -> dict[str, Any]:
        """The run as the API tells it."""
        return dict(self.api.get(f"runs/{self.runs[name]}"))

    def seconds(self, name: str) -> float:
        """From its start to its end."""
        run = self.run(name)
        return (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()


def files(order: str) -> list[Path]:
    paths = [FOLDER / "wfcommons" / f"{name}.json" for name in WFCOMMONS]
    paths += [FOLDER / "temporal" / f"{name}.json" for name in TEMPORAL]
    return paths + [FOLDER / "temporal" / f"{name}.{order}.json" for name in PAIRS]


def imported(installation: Installation, order: str, unblock: Callable[[], Any]) -> Imported:
    installation.prepare()
    runs = installation.manage("import_run", *map(str, files(order))).splitlines()
    installation.manage("worker", "--roles", "ingest", "--drain")
    with unblock(), other_database(installation.database):
        rows, summaries = rows_in_tables(), list(Run.objects.order_by("run_id").values())
    return Imported(rows, summaries, installation.api(installation.serve()), dict(zip(NAMES, runs, strict=True)))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Imported]:
    with Installation(tmp_path_factory.mktemp("embedded"), namespace="recorded") as installation:
        yield imported(installation, "descending", django_db_blocker.unblock)


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any, kafka: KafkaBroker, postgres: PostgresServer
) -> Iterator[Imported]:
    database = postgres.create_database("recorded")
    folder = tmp_path_factory.mktemp("production")
    with Installation(
        folder, log=f"kafka://{kafka.bootstrap}", database=database, namespace="recorded"
    ) as installation:
        yield imported(installation, "ascending", django_db_blocker.unblock)
    postgres.drop_database("recorded")


@pytest.fixture(params=["embedded", "production"])
def there(request: pytest.FixtureRequest) -> Imported:
    """Everything imported, once in each shape of the program."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def levels(tasks: list[dict[str, Any]]) -> dict[str, int]:
    """The level of each task: 1 without inputs, else one more than that of its deepest input."""
    inputs, found = {task["task_id"]: task["depends_on"] for task in tasks}, dict[str, int]()
    while len(found) < len(inputs):
        ready = [one for one in inputs if one not in found and all(parent in found for parent in inputs[one])]
        found.update((one, 1 + max((found[parent] for parent in inputs[one]), default=0)) for one in ready)
    return found


@pytest.mark.parametrize("name", WFCOMMONS)
def test_a_graph_has_its_published_shape(there: Imported, name: str) -> None:
    tasks = there.all(name, "tasks")
    fan_in = {task["task_id"]: len(task["depends_on"]) for task in tasks}
    fan_out = Counter(parent for task in tasks for parent in task["depends_on"])
    depths = levels(tasks)
    roots, leaves = sum(not count for count in fan_in.values()), len(fan_in.keys() - fan_out.keys())
    widest = max(Counter(depths.values()).values())
    links = (sum(fan_in.values()), roots, leaves, max(fan_out.values()), max(fan_in.values()))
    shape = (len(tasks), *links, max(depths.values()), widest, round(there.seconds(name)))
    assert shape == WFCOMMONS[name]
    assert all(task["derived_times"] and task["state"] == "completed" for task in tasks)


def test_both_shapes_of_the_program_keep_the_same_rows(embedded: Imported, production: Imported) -> None:
    """The published pairs included, of which each of the two was given another order."""
    assert embedded.runs == production.runs
    assert embedded.rows.keys() == production.rows.keys()
    different = [key for key, row in embedded.rows.items() if row != production.rows[key]]
    assert different == []
    assert [without_revision(row) for row in embedded.summaries] == [
        without_revision(row) for row in production.summaries
    ]


def without_revision(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "revision"}


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_of_a_run_stands_for_all_its_tasks(there: Imported, name: str) -> None:
    graph = there.api.get(f"runs/{there.runs[name]}/graph")
    members = sum(node["members"] for node in graph["nodes"] if node["kind"] != "join")
    assert members == there.run(name)["total"] == len(there.all(name, "tasks"))


def test_the_graph_of_the_widest_run_has_all_its_edges(there: Imported) -> None:
    graph = there.api.get(f"runs/{there.runs['soykb']}/graph")
    ends = {node["id"] for node in graph["nodes"]}
    assert all(edge["source"] in ends and edge["target"] in ends for edge in graph["edges"])
    # Folded, so that 676 tasks are read at a glance, and every one of the eleven levels is still there.
    assert 11 <= len(graph["nodes"]) <= 40


ENTRIES = {
    "customer-service": 65,
    "timed-out": 18,
    "gogoproto-payload-workflow": 146,
    "workflow_with_unknown_event": 26,
} | PAIRS


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_of_a_history_is_there(there: Imported, name: str) -> None:
    """What the importer worked out carries the number of the entry it was worked out from."""
    events = there.all(name, "events")
    numbers = {int(event["sequence"]) for event in events}
    assert numbers == set(range(1, ENTRIES[name] + 1))
    assert there.run(name)["events"] == len(events)


def counted(there: Imported, name: str) -> Counter[str]:
    return Counter(event["name"] for event in there.all(name, "events"))


def requests(there: Imported, name: str, state: str) -> int:
    items = there.api.get("approvals", state=state, limit=200)["items"]
    return sum(item["run_id"] == there.runs[name] for item in items)


def test_customer_service_made_six_model_calls_took_four_updates_and_was_canceled(there: Imported) -> None:
    names = counted(there, "customer-service")
    assert names["model.call.completed"] == 6
    assert names["approval.requested"] == names["approval.granted"] == 4
    assert requests(there, "customer-service", "granted") == 4
    assert there.run("customer-service")["state"] == "canceled"
    assert round(there.seconds("customer-service"), 3) == 0.181


def test_timed_out_names_the_activity_that_timed_out(there: Imported) -> None:
    (task,) = there.all("timed-out", "tasks")
    run = there.run("timed-out")
    assert (task["state"], run["state"]) == ("expired", "failed")
    assert run["first_cause"]["task_id"] == task["task_id"]
    assert "timeout" in task["error"]["message"]
    assert counted(there, "timed-out")["task.expired"] == 1
    assert round(there.seconds("timed-out"), 3) == 1_200.001


def test_attempts_that_were_never_written_are_told_as_derived(there: Imported) -> None:
    tasks = there.all("gogoproto-payload-workflow", "tasks")
    assert len(tasks) == 13
    assert Counter(task["attempt"] for task in tasks) == {1: 7, 3: 6}
    failed = [event for event in there.all("gogoproto-payload-workflow", "events") if event["name"].endswith("failed")]
    earlier = [event for event in failed if event["name"] == "task.attempt.failed"]
    assert len(earlier) == 12
    assert all(event["derived"] for event in earlier)
    assert round(there.seconds("gogoproto-payload-workflow"), 2) == 30.92


def test_ten_updates_were_granted_and_ten_others_failed(there: Imported) -> None:
    granted = requests(there, "multiple-updates", "granted")
    assert granted == counted(there, "multiple-updates")["approval.granted"] == 10
    denied = requests(there, "multiple-updates-canceled", "denied")
    assert denied == counted(there, "multiple-updates-canceled")["approval.denied"] == 10


def test_an_unknown_type_is_kept_and_told_apart(there: Imported) -> None:
    unknown = [name for name in counted(there, "workflow_with_unknown_event") if name.startswith("io.temporal.unknown")]
    assert unknown == ["io.temporal.unknown.UnknownEvent"]
    assert there.run("workflow_with_unknown_event")["state"] == "completed"


@pytest.mark.parametrize(
    ("name", "state"),
    [("completed", "completed"), ("canceled", "canceled"), ("terminated", "canceled"), ("running", "working")],
)
def test_a_run_ended_as_it_was_recorded(there: Imported, name: str, state: str) -> None:
    assert there.run(name)["state"] == state
