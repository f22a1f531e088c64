"""One picture at a given folding."""

from coordination.drawing import Drawing
from coordination.fanouts import FanOut
from coordination.runs import Sample
from coordination.scene import Fold, Scene
from coordination.tasks import Task


def one(key: str, total: int = 1, *needs: str, parent: str = "", fanout: str = "", first_at: int = 0) -> Fold:
    return Fold(
        fold_key=key,
        task_type=key,
        agent_group="coder",
        counts={"completed": total},
        total=total,
        sample=Sample(f"{key}-1", key, "coder", parent, needs),
        first_at=first_at,
        fanouts=(fanout,) if fanout else (),
    )


def drawn(scene: Scene, *single: str) -> set[tuple[str, str, int]]:
    return {(edge.source, edge.target, edge.count) for edge in Drawing(scene, single, ()).edges()}


def test_what_the_sample_of_a_stamped_fold_needs_each_member_needs() -> None:
    scene = Scene(folds=[one("a", 3), one("b", 10, "a-1", first_at=1)], fold_of={"a-1": "a"})
    assert drawn(scene) == {("fold:a", "fold:b", 10)}


def test_single_tasks_have_edges_of_their_own() -> None:
    members = {"b": [Task(run_id="r", task_id="b-1", depends_on=("a-1",)), Task(run_id="r", task_id="b-2")]}
    scene = Scene(folds=[one("a", 9), one("b", 2, first_at=1)], fold_of={"a-1": "a"}, members=members)
    assert drawn(scene, "b") == {("fold:a", "task:b-1", 1)}


def test_branches_meet_in_their_join_and_dependents_come_out_of_it() -> None:
    folds = [one("a"), one("b", 9, parent="a-1", fanout="f", first_at=1), one("c", 1, "b-1", "b-2", first_at=2)]
    scene = Scene(
        folds=folds,
        fold_of={"a-1": "a", "b-1": "b", "b-2": "b"},
        fan_outs={"f": FanOut(run_id="r", fanout_id="f", title="evidence")},
    )
    assert drawn(scene) == {("fold:a", "fold:b", 9), ("fold:b", "join:f", 9), ("join:f", "fold:c", 2)}


def test_folds_that_share_a_fan_out_share_its_join() -> None:
    scene = Scene(
        folds=[one("a", 7, fanout="f"), one("b", 8, fanout="f", first_at=1)],
        fan_outs={"f": FanOut(run_id="r", fanout_id="f")},
    )
    assert drawn(scene) == {("fold:a", "join:f", 7), ("fold:b", "join:f", 8)}


def test_many_joins_of_one_fold_are_one_node() -> None:
    rows = {name: FanOut(run_id="r", fanout_id=name, verdict="satisfied") for name in ("f", "g")}
    fold = Fold(fold_key="b", task_type="b", agent_group="g", counts={"completed": 8}, total=8, fanouts=("f", "g"))
    nodes = Drawing(Scene(folds=[fold], fan_outs=rows), (), ()).nodes()
    assert [(node.kind, node.label, node.members, node.counts) for node in nodes if node.kind == "join"] == [
        ("join", "joins", 2, {"satisfied": 2})
    ]


def test_an_edge_that_would_close_a_circle_is_left_out() -> None:
    folds = [one("a", 9, "b-1"), one("b", 9, "a-1", first_at=1)]
    assert drawn(Scene(folds=folds, fold_of={"a-1": "a", "b-1": "b"})) == {("fold:a", "fold:b", 9)}


def test_an_input_that_was_asked_for_later_is_still_an_edge() -> None:
    folds = [one("a", 9, "b-1"), one("b", 9, first_at=1)]
    assert drawn(Scene(folds=folds, fold_of={"b-1": "b"})) == {("fold:b", "fold:a", 9)}


def test_the_size_counts_nodes_surfaced_members_and_edges() -> None:
    surfaced = {"b": [Task(run_id="r", task_id="x", state="failed")]}
    scene = Scene(folds=[one("a", 9), one("b", 9, "a-1", first_at=1)], fold_of={"a-1": "a"}, surfaced=surfaced)
    assert Drawing(scene, (), ()).size() == 2 + 1 + 1
