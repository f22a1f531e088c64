"""The fold's promises: order of partitions, batches and repetition make no difference; nothing is lost."""

import copy
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.event import Event
from coordination.projection import Rows, fold, keys_of, part_keys
from tests.coordination.everything import everything, layout
from tests.coordination.stories import MANIFEST, Story, batches, interleaved

TABLES = ("tasks", "run_parts", "fold_parts", "fan_outs", "requests", "agents")
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 25)
CASES = settings(max_examples=max(200, settings().max_examples))


def plain(rows: Rows) -> dict[str, dict[Any, Any]]:
    """The rows without their revisions, which are ingest's own bookkeeping."""
    return {table: {key: bare(row) for key, row in getattr(rows, table).items()} for table in TABLES}


def bare(row: msgspec.Struct) -> msgspec.Struct:
    return msgspec.structs.replace(row, revision=0)


def folded(events: Iterable[Event]) -> Rows:
    rows = Rows(layout())
    fold(rows, events)
    return rows


class Tables:
    """Rows as a database keeps them: bytes by key, loaded for each batch as ingest does."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[Any, tuple[type, bytes]]] = {table: {} for table in TABLES}

    def load(self, rows: Rows, table: str, keys: Iterable[Any]) -> None:
        for key in keys:
            if key in self.kept[table]:
                kind, body = self.kept[table][key]
                getattr(rows, table)[key] = msgspec.json.decode(body, type=kind)

    def take(self, events: Sequence[Event]) -> None:
        rows, keys = Rows(layout()), keys_of(events)
        for table in ("tasks", "fan_outs", "requests", "agents"):
            self.load(rows, table, getattr(keys, table))
        parts = part_keys(rows, events)
        self.load(rows, "run_parts", parts.run_parts)
        self.load(rows, "fold_parts", parts.fold_parts)
        touched = fold(rows, events)
        for key in touched.gone:
            self.kept["fold_parts"].pop(key, None)
        for table in TABLES:
            for key in getattr(touched, table):
                row = getattr(rows, table)[key]
                self.kept[table][key] = type(row), msgspec.json.encode(row)

    def rows(self) -> Rows:
        rows = Rows()
        for table in TABLES:
            self.load(rows, table, self.kept[table])
        return rows


@CASES
@given(seeds, sizes, seeds)
def test_any_interleaving_of_the_partitions_gives_the_same_rows(seed: int, size: int, order: int) -> None:
    story = everything(seed, size)
    first, second = interleaved(story, random.Random(order)), story.events()
    assert plain(folded(first)) == plain(folded(second))


@CASES
@given(seeds, sizes)
def test_any_split_into_batches_gives_the_same_rows(seed: int, size: int) -> None:
    rng = random.Random(seed)
    story = everything(seed, size)
    tables = Tables()
    for batch in batches(list(interleaved(story, rng)), rng):
        tables.take(batch)
    assert plain(tables.rows()) == plain(folded(story.events()))


@CASES
@given(seeds, sizes)
def test_parts_count_what_the_task_rows_say(seed: int, size: int) -> None:
    rng = random.Random(seed)
    rows = Rows(layout())
    for batch in batches(list(interleaved(everything(seed, size), rng)), rng):
        fold(rows, batch)
        assert {key: part.counts for key, part in rows.run_parts.items() if part.total} == tallied(rows, folds=False)
        assert {key: part.counts for key, part in rows.fold_parts.items() if part.total} == tallied(rows, folds=True)


def tallied(rows: Rows, *, folds: bool) -> dict[Any, dict[str, int]]:
    found: dict[Any, Counter[str]] = {}
    for task in rows.tasks.values():
        key = (task.run_id, task.fold_key, task.shard) if folds else (task.run_id, task.shard)
        found.setdefault(key, Counter())[task.state] += 1
    return {key: dict(counts) for key, counts in found.items()}


@CASES
@given(seeds, sizes)
def test_parts_keep_the_five_earliest_tasks_that_ever_failed(seed: int, size: int) -> None:
    rows = folded(everything(seed, size * 3).events())
    failed: dict[tuple[str, str], dict[str, tuple[int, str, str]]] = {}
    for task in rows.tasks.values():
        for track in task.tracks:
            if track.failed_at is not None:
                these = failed.setdefault((task.run_id, rows.layout.shard(track.topic, track.partition)), {})
                one = track.failed_at, task.task_id, task.state
                these[task.task_id] = min(these.get(task.task_id, one), one)
    kept = {
        key: [(one.failed_at, one.task_id, one.state) for one in part.failures]
        for key, part in rows.run_parts.items()
        if part.failures
    }
    assert kept == {key: sorted(these.values())[:5] for key, these in failed.items()}


def test_a_call_delivered_again_on_another_partition_counts_once() -> None:
    story = Story()
    priced = {"model": "m", "tokens_in": 5, "tokens_out": 2, "cost": "0.25"}
    said = story.say("model.call.completed", task="t", data=priced)
    story.append(said, said.topic, (said.partition + 1) % 12)
    rows = folded(story.events())
    task = rows.tasks["run-1", "t"]
    assert (task.model_calls, task.tokens_in, task.tokens_out, task.cost) == (1, 5, 2, 250_000)
    assert task.repeated_calls == 1
    assert sum(part.tokens_in for part in rows.run_parts.values()) == 5


def test_calls_outside_any_task_count_for_the_run() -> None:
    story = Story()
    story.say("model.call.completed", data={"model": "m", "tokens_in": 5, "cost": "0.0000015"})
    story.say("tool.call.completed", data={"tool_call_id": "c"})
    (part,) = folded(story.events()).run_parts.values()
    assert (part.model_calls, part.tool_calls, part.tokens_in, part.cost) == (1, 1, 5, 2)


def test_effects_read_before_their_cause_say_what_is_missing_and_are_completed_by_it() -> None:
    story = Story()
    rows = Rows()
    fold(rows, [story.say("task.completed", task="t", agent_id="a")])
    task = rows.tasks["run-1", "t"]
    assert (task.state, task.commanded, task.fold_key) == ("completed", False, "")
    assert list(rows.fold_parts) == [("run-1", "", task.shard)]
    touched = fold(rows, [story.request("t", title="late", fold_key="aa")])
    assert (task.state, task.title, task.fold_key) == ("completed", "late", "aa")
    assert list(rows.fold_parts) == [("run-1", "aa", task.shard)]
    assert touched.gone == {("run-1", "", task.shard)}


def test_a_tool_event_alone_makes_a_task_of_unknown_state() -> None:
    story = Story()
    story.say("tool.call.started", task="t", data={"tool_call_id": "c"})
    rows = folded(story.events())
    assert rows.tasks["run-1", "t"].state == "unknown"
    assert [part.counts for part in rows.run_parts.values()] == [{"unknown": 1}]


def test_a_fact_on_the_topic_of_another_family_is_flagged_and_not_folded() -> None:
    story = Story()
    story.say("task.started", task="t")
    story.say("task.completed", task="t", topic=MANIFEST.topic_named("run.task.commands"))
    task = folded(story.events()).tasks["run-1", "t"]
    assert task.state == "working"
    assert [(one.name, one.event) for one in task.anomalies] == [("wrong_topic", "task.completed")]


def test_a_fact_on_a_topic_of_other_shards_touches_no_task() -> None:
    story = Story()
    story.say("task.completed", task="t", topic=MANIFEST.topic_named("ops.events"), partition=1)
    rows = folded(story.events())
    assert not rows.tasks
    assert [one.name for one in rows.run_parts["run-1", "3-1"].anomalies] == ["wrong_topic"]


def test_dead_letters_change_nothing() -> None:
    story = Story()
    story.say("task.completed", task="t", topic=MANIFEST.topic_named("dlq.run"), partition=1)
    assert plain(folded(story.events())) == plain(Rows())


def test_an_unknown_type_is_counted_and_left_alone() -> None:
    story = Story()
    story.say("com.example.thing", task="t", data={"a": 1})
    rows = folded(story.events())
    assert not rows.tasks
    assert [(part.events, part.unknown_events) for part in rows.run_parts.values()] == [(1, 1)]


def test_a_task_fact_that_names_no_task_is_flagged_on_the_run() -> None:
    story = Story()
    story.say("task.started")
    rows = folded(story.events())
    assert not rows.tasks
    assert [one.name for part in rows.run_parts.values() for one in part.anomalies] == ["no_subject"]


def test_a_tombstone_says_nothing() -> None:
    story = Story()
    beat = story.say("agent.heartbeat.recorded", run="", agent_id="a", data={"agent_group": "g"})
    rows = folded([msgspec.structs.replace(beat, data=None)])
    assert plain(rows) == plain(Rows())


def test_the_revision_grows_by_one_with_each_batch_that_touches_the_row() -> None:
    story = Story()
    said = [story.request("t"), story.say("task.started", task="t"), story.say("task.completed", task="t")]
    rows = Rows()
    fold(rows, said[:2])
    fold(rows, said[2:])
    fold(rows, [story.request("other", run="run-2")])
    assert rows.tasks["run-1", "t"].revision == 2


def test_a_record_of_no_run_makes_no_run() -> None:
    story = Story()
    story.say("task.started", task="t", run="")
    rows = folded(story.events())
    assert list(rows.tasks) == [("", "t")]
    assert (rows.run_parts, rows.fold_parts) == ({}, {})


def test_touched_names_every_row_that_changed_and_no_other() -> None:
    story = Story()
    rows = Rows()
    fold(rows, [story.request("a"), story.request("b", run="run-2")])
    before = copy.deepcopy(plain(rows))
    touched = fold(rows, [story.say("task.started", task="a")])
    after = plain(rows)
    changed = {table: {key for key in after[table] if after[table][key] != before[table].get(key)} for table in TABLES}
    assert {table: getattr(touched, table) for table in TABLES} == changed
    assert touched.runs == {"run-1"}
