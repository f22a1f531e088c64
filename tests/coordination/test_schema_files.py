"""Rules of the schema files: generated, versioned, never changed behind a reader's back."""

import json
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from jsonschema import Draft202012Validator

from coordination.events import CATALOGUE, Data, EventType
from coordination.schema_files import FOLDER, main, review, versions
from tests.coordination.examples import EXAMPLES


class First(Data, frozen=True, kw_only=True):
    """As released."""

    a: str
    b: Literal["x", "y"] = "x"


class Grown(Data, frozen=True, kw_only=True):
    """One optional field more."""

    a: str
    b: Literal["x", "y"] = "x"
    c: int | None = None


class Grown2(Data, frozen=True, kw_only=True):
    """Another optional field more."""

    a: str
    b: Literal["x", "y"] = "x"
    c: int | None = None
    d: tuple[str, ...] = ()


class Reworded(Data, frozen=True, kw_only=True):
    """The same with other words."""

    a: str
    b: Literal["x", "y"] = "x"


class Widened(Data, frozen=True, kw_only=True):
    """An enumeration with a word old readers do not know."""

    a: str
    b: Literal["x", "y", "z"] = "x"


class Demanding(Data, frozen=True, kw_only=True):
    """A field more that must be there."""

    a: str
    c: int
    b: Literal["x", "y"] = "x"


class Clashing(Data, frozen=True, kw_only=True):
    """Understands 1.0, but a field of 1.1 has another type."""

    a: str
    b: Literal["x", "y"] = "x"
    c: str | None = None


def entry(schema: type[Data]) -> EventType:
    return EventType("thing.done", "fact", "test", "run.task.events", "task", "taskid", schema)


def grow(folder: Path, schema: type[Data]) -> list[str]:
    """Bring the files of one type up to date; returns what stood against it."""
    found = review([entry(schema)], folder)
    if not found.broken:
        for path, text in found.due.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return found.broken


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "thing.done").glob("*"))


def test_the_committed_files_are_those_of_the_structs() -> None:
    found = review()
    assert found.broken == []
    assert sorted(str(path.relative_to(FOLDER)) for path in found.due) == []
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_schema_file_is_valid_and_accepts_the_example(name: str) -> None:
    for version in versions(FOLDER / name):
        Draft202012Validator.check_schema(version.schema)
        Draft202012Validator(version.schema).validate(EXAMPLES[name])
        assert not Draft202012Validator(version.schema).is_valid([])


def test_a_first_file_is_version_1_0_and_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    assert grow(tmp_path, First) == []
    assert files(tmp_path) == ["1.0.json"]
    assert review([entry(First)], tmp_path).due == {}


def test_optional_fields_become_the_next_minor_version(tmp_path: Path) -> None:
    for schema in (First, Grown, Grown2):
        assert grow(tmp_path, schema) == []
    assert files(tmp_path) == ["1.0.json", "1.1.json", "1.2.json"]
    first = json.loads((tmp_path / "thing.done" / "1.0.json").read_text())
    assert "c" not in first["$defs"]["First"]["properties"]


def test_ten_minors_are_in_order(tmp_path: Path) -> None:
    grow(tmp_path, First)
    text = (tmp_path / "thing.done" / "1.0.json").read_text()
    for minor in range(1, 11):
        (tmp_path / "thing.done" / f"1.{minor}.json").write_text(text)
    assert [one.minor for one in versions(tmp_path / "thing.done")] == list(range(11))


@pytest.mark.parametrize("schema", [Widened, Demanding])
def test_a_change_that_one_side_notices_is_refused(tmp_path: Path, schema: type[Data]) -> None:
    grow(tmp_path, First)
    assert grow(tmp_path, schema)
    assert files(tmp_path) == ["1.0.json"]


def test_the_gate_is_transitive(tmp_path: Path) -> None:
    for schema in (First, Grown):
        grow(tmp_path, schema)
    (tmp_path / "thing.done" / "1.2.json").write_text((tmp_path / "thing.done" / "1.0.json").read_text())
    broken = grow(tmp_path, Clashing)
    assert {words.split(" →")[0] for words in broken} == {"thing.done 1.1"}


def test_versions_already_there_are_judged_too(tmp_path: Path) -> None:
    grow(tmp_path, First)
    folder = tmp_path / "thing.done"
    changed = msgspec.json.encode({"$ref": "#/$defs/W", "$defs": msgspec.json.schema(Widened)["$defs"]})
    (folder / "1.1.json").write_bytes(changed.replace(b"#/$defs/W", b"#/$defs/Widened"))
    assert any("1.0 → 1.1" in words for words in review([entry(Widened)], tmp_path).broken)


def test_notes_may_change_within_a_version(tmp_path: Path) -> None:
    grow(tmp_path, First)
    path = tmp_path / "thing.done" / "1.0.json"
    path.write_text(path.read_text().replace("As released.", "Other words."))
    assert grow(tmp_path, First) == []
    assert files(tmp_path) == ["1.0.json"]
    assert "As released." in path.read_text()


def test_the_command_says_what_is_not_up_to_date_and_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("coordination.schema_files.FOLDER", tmp_path)
    monkeypatch.setattr("coordination.schema_files.review", lambda: review(CATALOGUE.values(), tmp_path))
    assert main(["--check"]) == 1
    assert "not up to date: task.requested/1.0.json" in capsys.readouterr().out
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "task.requested" / "1.0.json").write_text('{"type": "string"}')
    assert main(["--check"]) == 1
    assert ".v2" in capsys.readouterr().err
