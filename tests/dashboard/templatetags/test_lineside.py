"""Filters of the templates."""

import pytest

from dashboard.templatetags.lineside import address, clock, count, exact, instant, middle, pretty, sign, span, words

NOW = 1_790_000_000_000_250


def test_instants_are_written_for_browsers_and_for_people_without_scripts() -> None:
    assert instant(NOW) == "2026-09-21T14:13:20.000250Z"
    assert instant(None) == ""
    assert clock(NOW) == '<time datetime="2026-09-21T14:13:20.000250Z">2026-09-21 14:13:20 UTC</time>'
    assert 'data-decimals="3"' in exact(NOW)


@pytest.mark.parametrize("filter_", [clock, exact])
def test_an_unknown_instant_is_not_known(filter_: object) -> None:
    assert "not known" in filter_(None)  # type: ignore[operator]


def test_ids_are_shortened_in_the_middle() -> None:
    assert middle("t-8c1f00000000a92e", 9) == "t-8c…a92e"
    assert middle("short", 9) == "short"


def test_json_is_indented_and_text_left_alone() -> None:
    assert pretty({"ä": 1}) == '{\n  "ä": 1\n}'
    assert pretty("plain") == "plain"


def test_an_id_with_dots_and_slashes_stays_one_part_of_an_address() -> None:
    assert address("runs", "../x", "tasks", "a/b c") == "/runs/..%2Fx/tasks/a%2Fb%20c/"


def test_small_things() -> None:
    assert words("a b") == ["a", "b"]
    assert span(1_121_000_000) == "18 m 41 s"
    assert sign("working")["label"] == "running"


def test_a_count_that_stopped_says_so() -> None:
    assert [count(number) for number in (0, 7, 999, 1_000)] == ["0", "7", "999", "999+"]
