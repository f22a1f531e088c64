"""What the README says of settings, commands and files is so."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text()
# What stands in backticks and looks like a path of this repository.
PATHS = sorted(
    set(re.findall(r"`((?:coordination|dashboard|static|templates|tests)/[\w./-]*|static/[\w./-]+)`", README))
)
COMMANDS = sorted(set(re.findall(r"manage\.py ([a-z_]+)", README)))


def test_every_setting_is_listed_and_every_one_listed_is_read() -> None:
    listed = re.findall(r"^\| `(LINESIDE_\w+)` \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(set(settings.LINESIDE_NAMES))


def test_no_setting_is_named_that_is_not_read() -> None:
    assert set(re.findall(r"LINESIDE_[A-Z_]+", README)) <= set(settings.LINESIDE_NAMES)


def test_the_defaults_of_the_table_are_the_code_s() -> None:
    rows = dict(re.findall(r"^\| `LINESIDE_(\w+)` \| `([^`]+)` \|", README, re.MULTILINE))
    assert rows == {"STATE": "var/", "CHANNELS": "memory", "NAMESPACE": "coord", "TENANT": "default"}
    source = (ROOT / "dashboard/settings.py").read_text()
    for name, default in rows.items():
        assert f'text("{name}", "{default.rstrip("/")}")' in source


def test_something_is_found_to_look_at() -> None:
    assert len(PATHS) >= 8
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("path", PATHS)
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_named_can_be_run(command: str) -> None:
    assert command in get_commands()
