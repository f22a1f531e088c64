"""The graph: alike tasks are one node, few are drawn as themselves, joins stand between, and it always fits."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.graph import MAX_ELEMENTS, SURFACED, Fold, Node, Picture, Scene, picture
from coordination.runs import merged_counts
from tests.coordination.graphs import Run, acyclic, edges, fanned, size


def named(found: Picture) -> dict[str, tuple[str, str, int]]:
    return {node.id: (node.kind, node.label, node.members) for node in found.nodes}


def test_a_fan_out_is_one_node_whatever_its_size() -> None:
    found = picture(fanned(300).scene())
    assert sorted((node.kind, node.label, node.members) for node in found.nodes) == [
        ("fold", "search", 300),
        ("join", "f", 1),
        ("task", "plan", 1),
        ("task", "write", 1),
    ]


def test_the_join_stands_between_the_branches_and_what_depends_on_them() -> None:
    assert edges(picture(fanned(300).scene())) == {("plan", "search", 300), ("search", "f", 300), ("f", "write", 300)}


def test_six_members_are_drawn_as_themselves_and_seven_are_not() -> None:
    assert sum(node.kind == "task" for node in picture(fanned(6).scene()).nodes) == 8
    assert sum(node.kind == "task" for node in picture(fanned(7).scene()).nodes) == 2


def test_subtasks_of_all_branches_are_one_node_behind_the_branches() -> None:
    run = fanned(20)
    for index in range(20):
        for step in range(3):
            run.ask(f"s{index}-{step}", "read", parent=f"b{index:04}")
    found = edges(picture(run.scene()))
    assert ("search", "read", 60) in found


def test_a_scene_drawn_twice_in_any_order_is_the_same_picture() -> None:
    scene = fanned(40).scene()
    shuffled = msgspec.structs.replace(scene, folds=random.Random(3).sample(list(scene.folds), len(scene.folds)))
    assert picture(scene) == picture(shuffled)


def test_nodes_come_in_the_order_in_which_they_were_first_seen() -> None:
    kinds = [node.label for node in picture(fanned(40).scene()).nodes]
    assert kinds == ["plan", "search", "f", "write"]


def test_surfaced_members_are_at_most_five_and_the_failed_come_first() -> None:
    run = fanned(40)
    for index in range(8):
        run.say("task.started", f"b{index:04}")
    run.say("task.failed", "b0003")
    search = node_called(picture(run.scene()), "search")
    assert [task.state for task in search.tasks] == ["failed"] + ["working"] * (SURFACED - 1)
    assert search.counts == {"requested": 32, "working": 7, "failed": 1}


def node_called(found: Picture, label: str) -> Node:
    return next(node for node in found.nodes if node.label == label)


def test_a_fold_that_was_opened_says_so_and_stays_one_node() -> None:
    scene = fanned(300).scene()
    key = next(fold.fold_key for fold in scene.folds if fold.task_type == "search")
    plain, opened = picture(scene), picture(scene, [f"fold:{key}"])
    assert not node_called(plain, "search").open
    assert node_called(opened, "search").open
    assert len(opened.nodes) == len(plain.nodes)


def test_without_a_stamp_tasks_fold_by_type_and_group_and_say_so() -> None:
    run = Run(stamped=False)
    for index in range(10):
        run.ask(f"a{index}", "search")
    found = picture(run.scene())
    assert [(node.label, node.members, node.inferred) for node in found.nodes] == [("search", 10, True)]


def test_a_chain_of_thousands_is_folded_again_by_type() -> None:
    run = Run()
    for index in range(2000):
        run.ask(f"t{index:05}", f"kind-{index % 3}", needs=[f"t{index - 1:05}"] if index else [])
    found = picture(run.scene())
    assert found.refolded
    assert sorted(node.members for node in found.nodes) == [666, 667, 667]
    assert all(node.inferred for node in found.nodes)
    assert set(found.homes.values()) == {node.fold_key for node in found.nodes}
    assert {(edge.source, edge.target) for edge in found.edges} == {
        ("fold:~kind-0|coder", "fold:~kind-1|coder"),
        ("fold:~kind-1|coder", "fold:~kind-2|coder"),
    }


def test_a_kind_that_was_folded_again_opens_into_its_folds_as_long_as_they_fit() -> None:
    run = Run()
    for index in range(200):
        kind = "rare" if index % 20 == 0 else "common"
        run.ask(f"t{index:05}", kind, needs=[f"t{index - 1:05}"] if index else [])
    scene = run.scene()
    assert len(picture(scene).nodes) == 2
    opened = picture(scene, ["~rare|coder"])
    assert len(opened.nodes) == 1 + 10
    assert len(picture(scene, ["~rare|coder", "~common|coder"]).nodes) <= MAX_ELEMENTS


def test_stages_far_from_the_running_front_are_counted_only() -> None:
    run = Run()
    for index in range(900):
        run.ask(f"t{index:05}", f"kind-{index}", needs=[f"t{index - 1:05}"] if index else [])
        if index < 450:
            run.say("task.completed", f"t{index:05}")
    scene = run.scene()
    found = picture(msgspec.structs.replace(scene, folds=[spread(fold) for fold in scene.folds]))
    labels = [node.label for node in found.nodes]
    assert found.refolded
    assert any("earlier stages" in label for label in labels)
    assert any("later stages" in label for label in labels)
    assert "kind-450" in labels
    assert sum(node.members for node in found.nodes) == 900


def spread(fold: Fold) -> Fold:
    """The fold under an agent group of its own, so that folding by group does not help either."""
    return msgspec.structs.replace(fold, agent_group=f"group-{fold.task_type}")


def test_tasks_whose_command_was_not_read_are_a_node_too() -> None:
    run = Run()
    run.ask("plan", "plan")
    for index in range(8):
        run.story.say("task.started", task=f"x{index}", agent_id="a")
    found = picture(run.scene())
    assert ("fold", "not requested yet", 8) in named(found).values()


def test_a_fold_without_tasks_is_not_drawn() -> None:
    empty = Fold(fold_key="k", task_type="t", agent_group="g", counts={}, total=0)
    assert picture(Scene(folds=[empty])) == Picture((), ())


def test_a_run_without_tasks_is_an_empty_picture() -> None:
    assert picture(Scene(folds=[])) == Picture((), ())


@settings(max_examples=max(150, settings().max_examples))
@given(
    st.integers(0, 2**32),
    st.integers(1, 600),
    st.sampled_from((0.0, 0.02, 0.3)),
    st.sampled_from((1, 3, 40, 1000)),
    st.booleans(),
)
def test_no_picture_has_more_than_the_drawn_elements_allowed(
    seed: int, count: int, density: float, kinds: int, stamped: bool
) -> None:
    rng = random.Random(seed)
    run = Run(stamped=stamped)
    for index in range(count):
        needs = rng.sample(range(index), min(index, rng.choice((0, 1, 1, 2, int(density * index)))))
        run.ask(f"t{index}", f"kind-{rng.randrange(kinds)}", needs=[f"t{one}" for one in needs])
    scene = run.scene()
    if rng.random() < 0.5:
        scene = msgspec.structs.replace(scene, folds=[spread(fold) for fold in scene.folds])
    found = picture(scene, [fold.fold_key for fold in scene.folds if rng.random() < 0.2])
    assert size(found) <= MAX_ELEMENTS
    assert sum(node.members for node in found.nodes if node.kind != "join") == count
    assert merged_counts(node.counts for node in found.nodes) == {"requested": count}
    ids = [node.id for node in found.nodes]
    assert len(ids) == len(set(ids))
    assert {end for edge in found.edges for end in (edge.source, edge.target)} <= set(ids)
    assert acyclic(found)


@pytest.mark.timeout(10)
def test_a_run_of_a_hundred_thousand_tasks_is_as_quick_as_one_of_a_hundred() -> None:
    scene = fanned(300).scene()
    grown = [
        msgspec.structs.replace(f, total=100_000, counts={"completed": 100_000}) for f in scene.folds if f.total > 6
    ]
    few = [f for f in scene.folds if f.total <= 6]
    for _ in range(100):
        assert size(picture(msgspec.structs.replace(scene, folds=[*few, *grown]))) < 20
