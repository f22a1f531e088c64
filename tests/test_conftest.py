"""What `--long` does, and what every test may rely on."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

from tests.conftest import MARKS, pytest_collection_modifyitems


@pytest.fixture
def items(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """A usual test, a long one, and one that asks for a server."""
    made = [
        pytest.Function.from_parent(request.node.parent, name=name, callobj=lambda: None)
        for name in ("usual", "lengthy", "asking")
    ]
    made[1].add_marker("long")
    made[2].fixturenames.append("postgres")
    return list(made)


def collect(items: list[pytest.Item], *, long: bool) -> list[str]:
    deselected: list[pytest.Item] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items))
    config: Any = SimpleNamespace(getoption={"--long": long}.__getitem__, hook=hook)
    pytest_collection_modifyitems(config, items)
    return [item.name for item in deselected]


def test_long_tests_are_deselected_not_skipped(items: list[pytest.Item]) -> None:
    assert collect(items, long=False) == ["lengthy"]
    assert [item.name for item in items] == ["usual", "asking"]


def test_with_long_all_tests_run(items: list[pytest.Item]) -> None:
    assert collect(items, long=True) == []
    assert [item.name for item in items] == ["usual", "lengthy", "asking"]


def test_a_test_is_marked_by_the_servers_it_asks_for(items: list[pytest.Item]) -> None:
    collect(items, long=False)
    assert [bool(item.get_closest_marker("postgres")) for item in items] == [False, True]


def test_marks_are_declared(pytestconfig: pytest.Config) -> None:
    declared = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert set(MARKS.values()) <= declared


def test_hypothesis_tries_the_same_examples_every_time() -> None:
    for profile in ("ci", "long"):
        assert settings.get_profile(profile).derandomize
    assert settings.get_profile("long").max_examples > settings.get_profile("ci").max_examples
