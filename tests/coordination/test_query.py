"""The query line: one grammar, and an error that points at the character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.delays import PHASES
from coordination.query import Place, QueryError, Term, duration, like, parse, quoted, typing
from coordination.subjects import APPROVALS, RUNS, SUBJECTS, TASKS, WAITS

SECOND = 1_000_000


def read(line: str) -> list[tuple[str, str, tuple[object, ...], bool]]:
    return [(term.key, term.op, term.values, term.negated) for term in parse(line, TASKS)]


def test_every_kind_of_term_is_read() -> None:
    line = "state:failed,running agent:coder topic:coord.run.* wait.broker>2s caused-by:a-1 offset:3@1042 age>=1h "
    line += 'text "two words"'
    assert read(line) == [
        ("state", ":", ("failed", "running"), False),
        ("agent", ":", ("coder",), False),
        ("topic", ":", ("coord.run.*",), False),
        ("wait.broker", ">", (2 * SECOND,), False),
        ("caused-by", ":", ("a-1",), False),
        ("offset", ":", (Place("", 3, 1042),), False),
        ("age", ">=", (3600 * SECOND,), False),
        ("", ":", ("text",), False),
        ("", ":", ("two words",), False),
    ]


def test_the_line_of_the_readme_is_understood_by_runs_and_tasks() -> None:
    line = "state:failed agent:coder topic:coord.run.* wait.broker>2s caused-by:x offset:3@1042 age>1h text"
    for subject in (RUNS, TASKS):
        assert len(parse(line, subject)) == 8


@pytest.mark.parametrize(
    ("line", "term"),
    [
        ("-state:done", ("state", ":", ("done",), True)),
        ("-word", ("", ":", ("word",), True)),
        ('-"a b"', ("", ":", ("a b",), True)),
        ('task:"a b","c,d",e', ("task", ":", ("a b", "c,d", "e"), False)),
        (r'title:"say \"hi\" \\ there"', ("title", ":", (r'say "hi" \ there',), False)),
        ("STATE:Failed", ("state", ":", ("failed",), False)),
        ("offset:coord.run.task.events-3@7", ("offset", ":", (Place("coord.run.task.events", 3, 7),), False)),
        ("took<1h30m", ("took", "<", (5400 * SECOND,), False)),
        ("took>1.5s", ("took", ">", (1_500_000,), False)),
        ("tokens>10k", ("tokens", ">", (10_000,), False)),
        ("cost>0.25", ("cost", ">", (0.25,), False)),
        ("attempt:3", ("attempt", ":", (3,), False)),
        ("12:30", ("", ":", ("12:30",), False)),
        ("410", ("", ":", ("410",), False)),
        ("ünï", ("", ":", ("ünï",), False)),
    ],
)
def test_a_term(line: str, term: tuple[object, ...]) -> None:
    assert read(line) == [term]


def test_blanks_alone_ask_for_nothing() -> None:
    assert parse(" \t ", TASKS) == ()


@pytest.mark.parametrize(
    ("line", "at", "words"),
    [
        ("abc colour:red", 4, "colour is no field of tasks"),
        ("abc stat:failed", 4, "did you mean state?"),
        ("state:failed,tird", 13, "tird is not known"),
        ("agent: x", 6, "agent needs a value"),
        ("agent:", 6, "agent needs a value"),
        ("state:failed,", 13, "state needs a value: failed"),
        ("age:1h", 3, "age is compared"),
        ("x age>soon", 6, "soon is no duration"),
        ("agent>coder", 5, "agent is not compared"),
        ("attempt>two", 8, "two is none"),
        ("offset:1042", 7, "1042 is no position"),
        ("age>1h,2h", 6, "compared with one value"),
        ('say "hello', 4, "not closed"),
        ('""', 0, "nothing between"),
        ("a - b", 2, "nothing does"),
        ('"a"b', 3, "A blank is missing"),
        ("http://example.org", 0, "put it in quotes"),
    ],
)
def test_an_error_points_at_the_character(line: str, at: int, words: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(line, TASKS)
    assert refused.value.at == at
    assert words in str(refused.value)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused_within_the_line(line: str) -> None:
    places = []
    try:
        places = [(term.at, term.end) for term in parse(line, APPROVALS)]
    except QueryError as refused:
        places = [(refused.at, refused.end)]
    assert all(0 <= at <= end <= len(line) for at, end in places)


@given(st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip())))
def test_a_quoted_value_is_read_as_it_was(value: str) -> None:
    (term,) = parse(f"task:{quoted(value)}", TASKS)
    assert term == Term("task", ":", (value,), False, 0, term.end)


def test_a_term_that_is_too_large_for_any_table_is_cut() -> None:
    (term,) = parse("offset:99999999999999@99999999999999999999999", TASKS)
    assert term.places == (Place("", 2**31 - 1, 2**63 - 1),)
    assert duration("999999999999999w") == 2**63 - 1


def test_a_star_stands_for_any_characters() -> None:
    assert like("coord.run.*", "coord.run.task.events")
    assert like("*fetch*", "prefetching")
    assert not like("coord.run.*", "coordXrun.task")
    assert not like("a", "A")


@pytest.mark.parametrize(
    ("line", "caret", "expected"),
    [
        ("sta", 3, (None, "sta", 0, 3)),
        ("a sta b", 5, (None, "sta", 2, 5)),
        ("-sta", 4, (None, "sta", 1, 4)),
        ("", 0, (None, "", 0, 0)),
        ("state:", 6, ("state", "", 6, 6)),
        ("state:fai", 9, ("state", "fai", 6, 9)),
        ("state:done,fai x", 14, ("state", "fai", 11, 14)),
        ("state:fai,done", 9, ("state", "fai", 6, 9)),
        ("wait.broker>2", 13, ("wait.broker", "2", 12, 13)),
    ],
)
def test_what_is_typed_at_the_caret_can_be_completed(line: str, caret: int, expected: tuple[object, ...]) -> None:
    found = typing(line, caret, TASKS)
    assert found is not None
    assert (found.field.name if found.field else None, found.written, found.at, found.end) == expected


@pytest.mark.parametrize(("line", "caret"), [('"some wo', 8), ("colour:re", 9)])
def test_what_cannot_be_completed_is_left_alone(line: str, caret: int) -> None:
    assert typing(line, caret, TASKS) is None


def test_every_subject_knows_text_by_its_keys_only() -> None:
    assert set(SUBJECTS) == {"runs", "tasks", "events", "approvals", "letters", "audit", "agents"}
    assert set(WAITS.values()) <= set(PHASES)
    for subject in SUBJECTS.values():
        assert all(field.kind != "choice" or field.choices for field in subject.fields.values())
