"""Text that agents wrote, made safe to judge by eye: nothing in it is invisible, reversed or disguised.

What a reviewer reads must be what the agent will use. Characters that show nothing, or change the direction of what
follows, are written as escapes (Unicode TR 36, section 3); words that mix alphabets are pointed at (UTS 39, 5.1).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

SHOWN_CONTROLS: Final = frozenset("\n\t")
HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")
"""Letters and marks that look like nothing."""
ALPHABETS: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
"""Those whose letters are taken for one another."""
WORD: Final = re.compile(r"[^\W\d_]+")
MOST: Final = 20


def visible(text: str) -> str:
    r"""The text with every hidden character as an escape such as \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(one) if is_hidden(one) else one for one in text)


def is_hidden(character: str) -> bool:
    """Whether a reader would not see this character, or see what follows it elsewhere."""
    if character in SHOWN_CONTROLS:
        return False
    return character in BLANK or unicodedata.category(character) in HIDDEN


def warnings(value: Any, path: str = "") -> list[str]:
    """What a reviewer could misread in a JSON value, a sentence for each place, at most twenty."""
    return [warning for _, warning in zip(range(MOST), _warnings(value, path), strict=False)]


def _warnings(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _of_text(value, path)
    elif isinstance(value, dict):
        for key, part in value.items():
            place = f"{path}.{key}" if path else str(key)
            yield from _of_text(str(key), f"the name {visible(place)}")
            yield from _warnings(part, place)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _warnings(part, f"{path}[{number}]")


def _of_text(text: str, path: str) -> Iterator[str]:
    if text.isascii() and text.isprintable():
        return
    place = visible(path) or "the value"
    hidden = sorted({one for one in text if is_hidden(one)})
    if hidden:
        yield f"{place} has characters that cannot be seen: {', '.join(_named(one) for one in hidden[:5])}."
    for word in WORD.findall(text):
        found = {name for one in word if (name := _alphabet(one))}
        if len(found) > 1:
            odd = [one for one in word if _alphabet(one) not in ("LATIN", "")]
            names = " and ".join(sorted(name.capitalize() for name in found))
            yield f"{place} mixes {names} letters in “{word}”: {', '.join(_named(one) for one in odd[:3])}."


def _alphabet(character: str) -> str:
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    name = unicodedata.name(character, "")
    return next((alphabet for alphabet in ALPHABETS if name.startswith(alphabet)), "")


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name').lower()}"


def _escape(character: str) -> str:
    """As JSON writes it, so that JSON text with escapes is still the same value."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
