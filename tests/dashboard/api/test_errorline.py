"""An error in one line."""

import pytest

from dashboard.api.errorline import error_line


@pytest.mark.parametrize(
    ("kind", "message", "line"),
    [("E", "a\nb", "E: a"), ("", "a", "a"), ("E", "", "E"), ("", "", ""), ("a.b.E", "m", "E: m")],
)
def test_an_error_is_one_line(kind: str, message: str, line: str) -> None:
    assert error_line(kind, message) == line
