"""Settings are read typed; what is wrong is noted and answered with the default, never raised."""

import pytest

from dashboard.environment import Environment


def test_text_is_stripped_and_empty_means_the_default():
    environment = Environment({"LINESIDE_A": "  x ", "LINESIDE_B": "  "})
    assert (environment.text("A", "d"), environment.text("B", "d"), environment.text("C", "d")) == ("x", "d", "d")
    assert environment.names == ["LINESIDE_A", "LINESIDE_B", "LINESIDE_C"]
    assert environment.problems == []


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("off", False), ("", False)]
)
def test_flags_understand_the_usual_words(text, expected):
    environment = Environment({"LINESIDE_F": text})
    assert environment.flag("F") is expected
    assert environment.problems == []


def test_a_flag_that_is_neither_is_noted_and_means_no():
    environment = Environment({"LINESIDE_F": "maybe"})
    assert environment.flag("F") is False
    assert [(each.id, "maybe" in each.message) for each in environment.problems] == [("lineside.E001", True)]


def test_lists_are_parted_by_commas():
    assert Environment({"LINESIDE_L": " a, b ,,c"}).names_in("L", "x") == ["a", "b", "c"]
    assert Environment({}).names_in("L", "x,y") == ["x", "y"]


@pytest.mark.parametrize("wrong", ["nonsense", "ftp://x", "kafka:", "http://[::1"])
def test_an_address_of_another_kind_is_noted_and_the_default_taken(wrong):
    environment = Environment({"LINESIDE_U": wrong})
    found = environment.url("U", "sqlite:///x", ("sqlite", "postgres"))
    assert found == "sqlite:///x"
    assert environment.problems[0].id == "lineside.E002"
    assert "postgres://" in environment.problems[0].hint


def test_an_address_of_a_known_kind_is_taken():
    assert Environment({"LINESIDE_U": "postgres://h/d"}).url("U", "", ("postgres",)) == "postgres://h/d"
