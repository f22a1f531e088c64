"""Edges of the graph: what a task depends on says more than who asked for it; joins stand in between."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.graph import Picture, picture
from coordination.runs import MAX_FANOUTS
from tests.coordination.graphs import Run, acyclic, edges, fanned, size


def pairs(found: Picture) -> set[tuple[str, str]]:
    return {(source, target) for source, target, _ in edges(found)}


def investigation() -> Run:
    """A coordinator that asks for everything itself and says what depends on what; three fans in one fan."""
    run = Run()
    run.ask("root", "root")
    run.ask("triage", "triage", parent="root")
    run.ask("plan", "plan", needs=["triage"], parent="root")
    run.open("evidence", "root")
    for place, kind in enumerate(("logs", "metrics", "research")):
        run.ask(kind, kind, needs=["plan"], parent="root", fanout="evidence", index=place)
        run.open(f"{kind}-parts", kind)
        for index in range(8):
            run.ask(f"{kind}-{index}", f"{kind} part", parent=kind, fanout=f"{kind}-parts", index=index)
    run.ask("write", "write", needs=["logs", "metrics", "research"], parent="root")
    run.ask("publish", "publish", needs=["write"], parent="root")
    return run


def test_a_parent_is_drawn_as_input_only_of_what_depends_on_nothing_else() -> None:
    found = pairs(picture(investigation().scene()))
    assert {target for source, target in found if source == "root"} == {"triage"}


def test_what_depends_on_several_branches_follows_their_join_though_each_branch_is_alone_in_its_fold() -> None:
    found = pairs(picture(investigation().scene()))
    assert {source for source, target in found if target == "write"} == {"evidence"}


def test_a_branch_that_opened_a_fan_out_arrives_through_its_own_join() -> None:
    found = pairs(picture(investigation().scene()))
    assert {source for source, target in found if target == "evidence"} == {
        "logs-parts",
        "metrics-parts",
        "research-parts",
    }
    assert ("logs", "logs part") in found


def test_fan_outs_nested_three_deep_stand_behind_one_another() -> None:
    run = Run()
    run.ask("a", "a")
    run.open("f", "a")
    for one in range(8):
        run.ask(f"b{one}", "b", parent="a", fanout="f", index=one)
        run.open(f"g{one}", f"b{one}")
        for two in range(8):
            run.ask(f"c{one}{two}", "c", parent=f"b{one}", fanout=f"g{one}", index=two)
    run.ask("end", "end", needs=[f"b{one}" for one in range(8)])
    found = picture(run.scene())
    inner = next(node for node in found.nodes if node.kind == "join" and node.id != "join:f")
    named = {node.id: node.label for node in found.nodes}
    assert {(named[edge.source], named[edge.target]) for edge in found.edges} == {
        ("a", "b"),
        ("b", "c"),
        ("c", inner.label),
        (inner.label, "f"),
        ("f", "end"),
    }


def test_a_join_of_more_fan_outs_than_a_fold_remembers_says_so() -> None:
    run = Run()
    for one in range(MAX_FANOUTS + 3):
        run.open(f"f{one}")
        for two in range(2):
            run.ask(f"t{one}-{two}", "t", fanout=f"f{one}", index=two)
    join = next(node for node in picture(run.scene()).nodes if node.kind == "join")
    assert join.more
    assert join.members >= MAX_FANOUTS
    assert not next(node for node in picture(fanned(20).scene()).nodes if node.kind == "join").more


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_any_run_with_nested_fan_outs_is_counted_once_without_cycles_and_in_any_order_the_same(seed: int) -> None:
    rng = random.Random(seed)
    run = Run(stamped=rng.random() < 0.8)
    known: list[str] = []
    for number in range(rng.randrange(1, 30)):
        parent = rng.choice(["", *known])
        fan = f"f{number}" if rng.random() < 0.4 else ""
        if fan:
            run.open(fan, parent)
        asked = [f"t{number}-{index}" for index in range(rng.choice((1, 3, 12)))]
        for index, task in enumerate(asked):
            needs = rng.sample(known, min(len(known), rng.choice((0, 0, 1, 3))))
            run.ask(task, f"kind-{rng.randrange(4)}", needs=needs, parent=parent, fanout=fan, index=index)
        known += asked
    scene = run.scene()
    found = picture(scene)
    assert sum(node.members for node in found.nodes if node.kind != "join") == len(known)
    assert size(found) <= 400
    assert acyclic(found)
    shuffled = {
        "folds": rng.sample(list(scene.folds), len(scene.folds)),
        "members": {key: rng.sample(list(tasks), len(tasks)) for key, tasks in reversed(scene.members.items())},
        "fan_outs": dict(reversed(scene.fan_outs.items())),
    }
    assert picture(msgspec.structs.replace(scene, **shuffled)) == found
