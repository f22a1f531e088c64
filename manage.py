#!/usr/bin/env python3
"""The commands of Lineside, run as `python manage.py COMMAND`."""

import argparse
import os
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

# Options of `demo` that are settings: they must be in the environment before the settings are read.
OPTIONS = {"state": "LINESIDE_STATE", "log": "LINESIDE_LOG"}


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ.update(settings_in(sys.argv[2:]))
    execute_from_command_line(sys.argv)


def settings_in(arguments: Sequence[str]) -> dict[str, str]:
    """The settings among the arguments, by the names of their variables."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in OPTIONS:
        parser.add_argument(f"--{option}")
    given = vars(parser.parse_known_args(arguments)[0])
    return {OPTIONS[option]: value for option, value in given.items() if value}


if __name__ == "__main__":
    main()
