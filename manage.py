#!/usr/bin/env python3
"""The commands of Lineside, run as `python manage.py COMMAND`.

Settings come from the environment alone. `--state` and `--log` say the same as `LINESIDE_STATE` and `LINESIDE_LOG`
for one call, so they are put into the environment before any setting is read.
"""

import os
import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line

SHORTHANDS = {"--state": "LINESIDE_STATE", "--log": "LINESIDE_LOG"}


def into_environment(arguments: Sequence[str]) -> None:
    """Put `--state DIR`, `--state=DIR` and the like into the environment; the arguments stay as they are."""
    for place, argument in enumerate(arguments):
        name, given, value = argument.partition("=")
        if name in SHORTHANDS:
            os.environ[SHORTHANDS[name]] = value if given else "".join(arguments[place + 1 : place + 2])


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    into_environment(sys.argv[2:])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
