"""Errors as event data: last line first, bounded, by the name a person would look for."""

from coordination.agent.errors import Fatal, failure


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_the_message_begins_with_its_last_line() -> None:
    shown = failure(raised(ValueError("while reading\n\nthe amount is no number")))
    assert shown.message == "the amount is no number\nwhile reading"
    assert shown.type == "ValueError"


def test_an_error_without_a_message_is_named() -> None:
    assert failure(raised(KeyError())).message == "KeyError"


def test_the_stack_shows_where_it_was_raised() -> None:
    stack = failure(raised(Fatal("no"))).stack or ""
    assert "raise error" in stack
    assert "test_errors.py" in stack


def test_endless_texts_are_cut_in_the_middle() -> None:
    shown = failure(raised(ValueError("a" * 50_000 + "b")))
    assert len(shown.message) <= 2_000
    assert "left out" in shown.message
    assert shown.message.endswith("b")
    assert len(shown.stack or "") <= 12_000
