"""Forms say what is wrong in words that can be acted on."""

import pytest

from dashboard.forms import DecisionForm

GIVEN = {"decision": "approve", "request_version": "1", "content_hash": "abc"}


def test_an_approval_needs_no_words() -> None:
    form = DecisionForm(GIVEN)
    assert form.is_valid()
    assert form.cleaned_data["args"] is None


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"decision": "respond"}, "comment", "Write the answer"),
        ({"decision": "edit"}, "args", "Write the arguments"),
        ({"decision": "edit", "args": "{"}, "args", "not JSON"),
        ({"decision": "maybe"}, "decision", "valid choice"),
        ({"request_version": "0"}, "request_version", "greater than or equal"),
    ],
)
def test_what_is_missing_or_wrong_is_named(change: dict[str, str], field: str, words: str) -> None:
    form = DecisionForm(GIVEN | change)
    assert not form.is_valid()
    assert words in str(form.errors[field])


def test_edited_arguments_are_decoded() -> None:
    form = DecisionForm(GIVEN | {"decision": "edit", "args": '{"amount": "1"}'})
    assert form.is_valid()
    assert form.cleaned_data["args"] == {"amount": "1"}
