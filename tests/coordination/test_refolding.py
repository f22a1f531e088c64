"""Folding again: by type, by group, by stage; nothing is lost and the worst stands out."""

from coordination.refolding import by_group, by_stage, by_type, without_implied, worst
from coordination.runs import Sample
from coordination.scene import Edge, Fold, Scene
from coordination.tasks import Task


def one(place: int, kind: str = "write", group: str = "coder", state: str = "completed", *needs: str) -> Fold:
    return Fold(
        fold_key=f"k{place}",
        task_type=kind,
        agent_group=group,
        counts={state: 2},
        total=2,
        sample=Sample(f"t{place}", kind, group, depends_on=needs),
        first_at=place,
        fanouts=(f"f{place}",),
    )


def keys(scene: Scene) -> list[str]:
    return [fold.fold_key for fold in scene.folds]


def test_by_type_merges_counts_inputs_and_fan_outs() -> None:
    found = by_type(Scene(folds=[one(1, state="failed"), one(2, "write", "coder", "completed", "t1"), one(3, "read")]))
    assert keys(found) == ["~write|coder", "~read|coder"]
    write = found.folds[0]
    assert (write.counts, write.total, write.first_at, write.stamped) == ({"failed": 2, "completed": 2}, 4, 1, False)
    assert (write.sample.depends_on if write.sample else (), write.fanouts) == (("t1",), ("f1", "f2"))
    assert found.fold_of == {"t1": "~write|coder", "t2": "~write|coder", "t3": "~read|coder"}


def test_a_kind_that_was_opened_stays_as_it_was_with_its_members() -> None:
    members = {"k1": [Task(run_id="r", task_id="t1")]}
    found = by_type(Scene(folds=[one(1), one(2, "read")], members=members), ["~write|coder"])
    assert keys(found) == ["k1", "~read|coder"]
    assert found.members == members


def test_by_group_counts_the_kinds() -> None:
    found = by_group(Scene(folds=[one(1), one(2, "read"), one(3, "judge", "critic")]))
    assert [(fold.task_type, fold.agent_group) for fold in found.folds] == [
        ("2 kinds of task", "coder"),
        ("judge", "critic"),
    ]


def test_by_stage_keeps_what_is_around_the_running_front() -> None:
    folds = [
        one(place, state="completed" if place < 5 else "working" if place == 5 else "requested") for place in range(10)
    ]
    found = by_stage(Scene(folds=folds), 3)
    assert keys(found) == ["~before", "k4", "k5", "k6", "~after"]
    assert [fold.task_type for fold in (found.folds[0], found.folds[-1])] == ["4 earlier stages", "3 later stages"]
    assert sum(fold.total for fold in found.folds) == 20


def test_where_nothing_runs_the_front_is_the_end() -> None:
    found = by_stage(Scene(folds=[one(place) for place in range(10)]), 2)
    assert keys(found) == ["~before", "k8", "k9"]


def task(name: str, state: str, began: int = 0, **rest: object) -> Task:
    return Task(run_id="r", task_id=name, state=state, started_at=began, **rest)  # type: ignore[arg-type]


def test_the_worst_stand_out_dead_letters_first_and_the_slowest_last() -> None:
    tasks = [
        task("done", "completed"),
        task("quick", "working", 9),
        task("slow", "working", 1),
        task("human", "input_required"),
        task("failed", "failed"),
        task("dead", "failed", 5),
        task("retry", "retry_wait"),
    ]
    assert [one.task_id for one in worst(tasks, ["dead"])] == ["dead", "failed", "human", "retry", "slow"]


def test_surfaced_and_members_of_merged_folds_compete_again() -> None:
    scene = Scene(
        folds=[one(1), one(2)],
        members={"k1": [task("a", "completed"), task("b", "failed")]},
        surfaced={"k2": [task("c", "working")]},
    )
    found = by_type(scene)
    assert {key: [one.task_id for one in tasks] for key, tasks in found.surfaced.items()} == {
        "~write|coder": ["b", "c"]
    }
    assert found.members == {}


def test_edges_that_follow_from_others_are_left_out() -> None:
    edges = [Edge("a", "b"), Edge("b", "c"), Edge("a", "c"), Edge("a", "d"), Edge("c", "d"), Edge("e", "d")]
    kept = [(edge.source, edge.target) for edge in without_implied(edges)]
    assert kept == [("a", "b"), ("b", "c"), ("c", "d"), ("e", "d")]
