"""The folder for what tests fetch once and keep: outside the repository, shared by all checkouts."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`LINESIDE_TEST_CACHE`, else `lineside` in the user's cache folder; not created here."""
    named = os.environ.get("LINESIDE_TEST_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lineside"
