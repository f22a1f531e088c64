"""The query line: one grammar for every list and picture.

    state:failed agent:coder topic:coord.run.* wait.broker>2s caused-by:<id> offset:3@1042 age>1h words -"not this"

A line is terms parted by blanks, all of which must hold. A term is

    key:value,value      one of the values; `*` stands for any characters; quote what holds blanks or commas
    key>value key<value  a comparison of numbers or durations, also >= and <=
    words, "some words"  text that is contained
    -term                the contrary

Which keys there are depends on what is asked for (`coordination.subjects`); the grammar does not. Whatever is not
understood is a `QueryError` that points at the character. A line that is being typed is completed from the same
grammar (`completion`).
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, Literal

import msgspec

from coordination.errors import CoordinationError

Kind = Literal["word", "choice", "text", "number", "duration", "position"]
Op = Literal[":", ">", "<", ">=", "<="]

COMPARED: Final = ("number", "duration")
UNITS: Final[dict[str, int]] = {
    "us": 1,
    "µs": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
SCALES: Final[dict[str, int]] = {"": 1, "k": 1_000, "M": 1_000_000}

_KEY: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)(:|[<>]=?)")
_PLAIN: Final = re.compile(r'[^\s,"]+')
_WORD: Final = re.compile(r'[^\s"]+')
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:us|µs|ms|[smhdw]))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(us|µs|ms|[smhdw])")
_NUMBER: Final = re.compile(r"(-?\d+(?:\.\d+)?)([kM]?)")
_POSITION: Final = re.compile(r"(?:(.+)-)?(\d+)@(\d+)")
LARGEST: Final = 2**63 - 1


class QueryError(CoordinationError):
    """A query line that is not understood: `at` is the place of the first character that is to blame, `end` the
    place behind the last."""

    code = "bad_query"

    def __init__(self, message: str, at: int, end: int) -> None:
        super().__init__(message)
        self.at: Final = at
        self.end: Final = end


class Field(msgspec.Struct, frozen=True):
    """A key: what kind of value it takes, what it means in a few words, and its values where they are few."""

    name: str
    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """What is asked for (runs, tasks …) and by which keys; `name` is a plural noun."""

    name: str
    fields: Mapping[str, Field]


class Place(msgspec.Struct, frozen=True):
    """A place on the log; `topic` is empty where only partition@offset was said."""

    topic: str
    partition: int
    offset: int


class Term(msgspec.Struct, frozen=True):
    """One condition. `key` is empty for text. `values` are what any of `op` may hold for: words and texts as they
    were written without quotes, numbers as they are, durations in µs, positions as Place. `at` to `end` is where it
    stands in the line."""

    key: str
    op: Op
    values: tuple[str | int | float | Place, ...]
    negated: bool = False
    at: int = 0
    end: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """The values as text."""
        return tuple(str(value) for value in self.values)

    @property
    def number(self) -> int | float:
        """The value of a comparison."""
        (value,) = self.values
        return value if isinstance(value, int | float) else 0

    @property
    def places(self) -> tuple[Place, ...]:
        """The values of a position."""
        return tuple(value for value in self.values if isinstance(value, Place))


def parse(line: str, subject: Subject) -> tuple[Term, ...]:
    """The terms of a line. Raises QueryError at the first character that is not understood."""
    reader, terms = _Reader(line, subject), []
    while reader.more():
        terms.append(reader.term())
    return tuple(terms)


class _Reader:
    """Reads a line from left to right."""

    def __init__(self, line: str, subject: Subject) -> None:
        self.line, self.subject, self.at = line, subject, 0

    def more(self) -> bool:
        """Skips blanks; whether anything follows."""
        while self.at < len(self.line) and self.line[self.at].isspace():
            self.at += 1
        return self.at < len(self.line)

    def term(self) -> Term:
        start = self.at
        negated = self.line[start] == "-"
        self.at += negated
        if negated and (self.at == len(self.line) or self.line[self.at].isspace()):
            raise QueryError("- takes back what stands directly behind it; nothing does.", start, self.at)
        key = _KEY.match(self.line, self.at)
        if key is None:
            return self._text(start, negated)
        field = self._field(key[1], self.at)
        self.at = key.end()
        op: Op = key[2]  # type: ignore[assignment]  # the pattern matches nothing else
        _fits(field, op, key.start(2), key.end())
        values = self._values(field, op)
        self._ended()
        return Term(field.name, op, values, negated, start, self.at)

    def _text(self, start: int, negated: bool) -> Term:
        if self.line[self.at] == '"':
            text = self._quoted()
        else:
            found = _WORD.match(self.line, self.at)
            text = found[0] if found else ""
            self.at += len(text)
        self._ended()
        return Term("", ":", (text,), negated, start, self.at)

    def _field(self, name: str, at: int) -> Field:
        field = self.subject.fields.get(name.lower())
        if field is not None:
            return field
        near = get_close_matches(name.lower(), self.subject.fields, 1)
        guess = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(self.subject.fields))}."
        hint = " To look for it as text, put it in quotes." if not near else ""
        raise QueryError(f"{name} is no field of {self.subject.name}; {guess}{hint}", at, at + len(name))

    def _values(self, field: Field, op: Op) -> tuple[str | int | float | Place, ...]:
        values = []
        while True:
            at = self.at
            values.append(_value(field, self._value(field), at, self.at))
            if self.at == len(self.line) or self.line[self.at] != ",":
                return tuple(values)
            if op != ":":
                raise QueryError(f"{field.name}{op} is compared with one value.", self.at, self.at + 1)
            self.at += 1

    def _value(self, field: Field) -> str:
        if self.at < len(self.line) and self.line[self.at] == '"':
            return self._quoted()
        found = _PLAIN.match(self.line, self.at)
        if found is None:
            raise QueryError(f"{field.name} needs a value{_example(field)}.", self.at, self.at)
        self.at = found.end()
        return found[0]

    def _quoted(self) -> str:
        start, text = self.at, []
        self.at += 1
        while self.at < len(self.line) and self.line[self.at] != '"':
            self.at += self.line[self.at] == "\\" and self.at + 1 < len(self.line)
            text.append(self.line[self.at])
            self.at += 1
        if self.at == len(self.line):
            raise QueryError("This quote is not closed.", start, self.at)
        self.at += 1
        if not "".join(text).strip():
            raise QueryError("There is nothing between these quotes.", start, self.at)
        return "".join(text)

    def _ended(self) -> None:
        if self.at < len(self.line) and not self.line[self.at].isspace():
            raise QueryError("A blank is missing before this.", self.at, self.at + 1)


def _fits(field: Field, op: Op, at: int, end: int) -> None:
    if field.kind not in COMPARED and op != ":":
        raise QueryError(f"{field.name} is not compared; write {field.name}:value.", at, end)
    if field.kind == "duration" and op == ":":
        raise QueryError(f"{field.name} is compared; write {field.name}>1h or {field.name}<1h.", at, end)


def _value(field: Field, text: str, at: int, end: int) -> str | int | float | Place:
    if field.kind == "choice":
        return _choice(field, text, at, end)
    if field.kind == "duration":
        return duration(text, at, end)
    if field.kind == "number":
        return _number(field, text, at, end)
    if field.kind == "position":
        return _place(text, at, end)
    return text


def _choice(field: Field, text: str, at: int, end: int) -> str:
    if text.lower() in field.choices:
        return text.lower()
    near = get_close_matches(text.lower(), field.choices, 1)
    guess = f"did you mean {near[0]}?" if near else f"there are {', '.join(field.choices)}."
    raise QueryError(f"{field.name}:{text} is not known; {guess}", at, end)


def duration(text: str, at: int = 0, end: int = 0) -> int:
    """`2s`, `500ms`, `1h30m`, `1.5d` in µs. Raises QueryError."""
    if not _DURATION.fullmatch(text):
        raise QueryError(f"{text} is no duration; write 500ms, 2s, 5m, 1h30m or 2d.", at, end)
    return min(LARGEST, round(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))))


def _number(field: Field, text: str, at: int, end: int) -> int | float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise QueryError(f"{field.name} is compared with a number; {text} is none.", at, end)
    number = float(found[1]) * SCALES[found[2]]
    return max(-LARGEST, min(LARGEST, int(number))) if number == int(number) else number


def _place(text: str, at: int, end: int) -> Place:
    found = _POSITION.fullmatch(text)
    if found is None:
        raise QueryError(f"{text} is no position; write partition@offset, or topic-partition@offset.", at, end)
    return Place(found[1] or "", min(2**31 - 1, int(found[2])), min(LARGEST, int(found[3])))


def _example(field: Field) -> str:
    if field.choices:
        return f": {', '.join(field.choices)}"
    return {"duration": ", for instance 2s", "number": ", for instance 3", "position": ", for instance 3@1042"}.get(
        field.kind, ""
    )


class Typing(msgspec.Struct, frozen=True):
    """What is being typed at the caret: the beginning of a key or a text (`field` None) or of a value. `written` is
    what stands there, from `at` to `end`; a completion replaces that."""

    field: Field | None
    written: str
    at: int
    end: int


def typing(line: str, caret: int, subject: Subject) -> Typing | None:
    """What a completion at the caret would complete; None inside quotes and behind a key that is unknown."""
    caret = max(0, min(caret, len(line)))
    start = caret
    while start and not line[start - 1].isspace():
        start -= 1
    if line[:caret].replace('\\"', "").count('"') % 2:
        return None
    start += line[start:caret].startswith("-")
    end = caret
    while end < len(line) and not line[end].isspace() and line[end] != ",":
        end += 1
    key = _KEY.match(line, start)
    if key is None or key.end() > caret:
        return Typing(None, line[start:caret], start, end)
    field = subject.fields.get(key[1].lower())
    at = max(key.end(), line.rfind(",", key.end(), caret) + 1)
    return Typing(field, line[at:caret], at, end) if field else None


def quoted(value: str) -> str:
    """A value as it is written in a line: in quotes where it needs them."""
    plain = _PLAIN.fullmatch(value) is not None and not value.startswith("-")
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def like(pattern: str, text: str) -> bool:
    """Whether a word with `*` for any characters is this text."""
    return pattern == text if "*" not in pattern else re.search(regex(pattern), text) is not None


def regex(pattern: str) -> str:
    """A word with `*` for any characters as a regular expression that databases take too."""
    return f"^{'.*'.join(re.escape(part) for part in pattern.split('*'))}$"


def compared(op: Op, value: int | float, to: int | float) -> bool:
    """Whether `value op to` holds; `:` is equality."""
    return {
        ":": value == to,
        ">": value > to,
        "<": value < to,
        ">=": value >= to,
        "<=": value <= to,
    }[op]
