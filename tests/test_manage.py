"""Options of `demo` that are settings reach the settings."""

import pytest

from manage import settings_in


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--port", "9000", "--no-agents"], {}),
        (["--state", "/tmp/x"], {"LINESIDE_STATE": "/tmp/x"}),
        (["--state=/tmp/x", "--rate", "2"], {"LINESIDE_STATE": "/tmp/x"}),
        (["--log", "kafka://h:9092"], {"LINESIDE_LOG": "kafka://h:9092"}),
        (["--statement", "x"], {}),
    ],
)
def test_they_are_found_among_the_others(arguments, expected):
    assert settings_in(arguments) == expected
